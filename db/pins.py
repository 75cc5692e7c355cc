"""Candidates that somebody wants kept and shown first."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db import events
from db.events import EventKind
from db.tables import NOW, CandidateRow
from paretofarm.errors import NotFound


def pin(session: Session, candidate_id: int) -> bool:
    """`gc` keeps its artifacts from now on. False: it was pinned already. NotFound for no such candidate."""
    return _change(session, candidate_id, EventKind.CANDIDATE_PINNED, pinned=True)


def unpin(session: Session, candidate_id: int) -> bool:
    """False: it was not pinned. NotFound for no such candidate."""
    return _change(session, candidate_id, EventKind.CANDIDATE_UNPINNED, pinned=False)


def _change(session: Session, candidate_id: int, kind: EventKind, *, pinned: bool) -> bool:
    query = select(CandidateRow.experiment_id, CandidateRow.pinned_at).where(CandidateRow.id == candidate_id)
    found = session.execute(query).tuples().one_or_none()
    if found is None:
        raise NotFound(f"there is no candidate {candidate_id}")
    experiment_id, pinned_at = found
    if pinned == (pinned_at is not None):
        return False
    change = update(CandidateRow).where(CandidateRow.id == candidate_id)
    session.execute(change.values(pinned_at=NOW if pinned else None))
    events.record(session, kind, experiment_id=experiment_id, candidate_id=candidate_id)
    return True
