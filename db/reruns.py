"""A candidate that has ended runs again: what failed is tried again, else it is measured again.

Its number, architecture and training stay. The measurement that is replaced is kept in the event.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from db import events, experiments
from db.events import EventKind
from db.tables import NOW, CandidateRow, EarlierMeasurementRow, EvaluationRow, MeasurementRow
from paretofarm.errors import Conflict, NotFound
from paretofarm.lifecycle import CandidateStatus, EvaluationStatus, Stage
from paretofarm.metrics import METRICS, Source, metric_key

QUEUED_AGAIN: dict[str, Any] = {
    "status": EvaluationStatus.QUEUED,
    "attempt": EvaluationRow.attempt + 1,
    "failures": 0,
    "token": None,
    "lease_expires_at": None,
    "progress": None,
    "dispatched_at": None,
    "code": None,
    "reason": None,
    "finished_at": None,
    "not_before": NOW,
}


def rerun(session: Session, candidate_id: int) -> None:
    """Queues its work again; a search that was finished goes on for it. Errors: NotFound; Conflict for a candidate that
    has not ended, and for one of which nothing can come out otherwise (infeasible before it was ever measured).

    Evaluations are locked before the candidate, as everywhere: no report or race is deadlocked with.
    """
    query = select(EvaluationRow).where(EvaluationRow.candidate_id == candidate_id).order_by(EvaluationRow.id)
    found = session.scalars(query.with_for_update()).all()
    candidate = session.scalar(select(CandidateRow).where(CandidateRow.id == candidate_id).with_for_update())
    if candidate is None:
        raise NotFound(f"there is no candidate {candidate_id}")
    if not candidate.status.is_final:
        raise Conflict(f"candidate {candidate_id} is {candidate.status.value}: it has not ended yet")
    if candidate.contested_at is not None:
        raise Conflict(f"candidate {candidate_id} is being measured again already")
    again = _to_repeat(found)
    if not again:
        raise Conflict(f"candidate {candidate_id} is {candidate.status.value} by its architecture: nothing can change")
    measured = [work for work in again if work.stage is Stage.MEASURE]
    before = _forget(session, candidate, measured)
    session.execute(update(EvaluationRow).where(EvaluationRow.id.in_([work.id for work in again])).values(QUEUED_AGAIN))
    change = update(CandidateRow).where(CandidateRow.id == candidate_id)
    session.execute(change.values(status=CandidateStatus.RUNNING, reason=None, finished_at=None))
    experiments.reopen(session, candidate.experiment_id, reason=f"candidate {candidate_id} runs again")
    subject = {"experiment_id": candidate.experiment_id, "candidate_id": candidate_id}
    events.record(session, EventKind.CANDIDATE_RERUN, **subject, details={"before": before})


def _to_repeat(found: Sequence[EvaluationRow]) -> Sequence[EvaluationRow]:
    """What failed and what that cut short; measurements, where nothing failed."""
    broken = [work for work in found if work.status is EvaluationStatus.FAILED]
    cut_short = [work for work in found if work.status is EvaluationStatus.CANCELLED]
    measured = [work for work in found if work.stage is Stage.MEASURE and work.status is EvaluationStatus.DONE]
    chosen = broken or measured
    return [*chosen, *cut_short] if chosen else []


def _forget(session: Session, candidate: CandidateRow, measured: Sequence[EvaluationRow]) -> dict[str, Any]:
    """Takes what was measured away, or it would be judged by that; returns it."""
    names = [name for name, metric in METRICS.items() if metric.source is Source.MEASURE]
    keys = {metric_key(name, work.device) for work in measured for name in names}
    before = {
        "metrics": {key: value for key, value in candidate.metrics.items() if key in keys},
        "intervals": {key: value for key, value in candidate.intervals.items() if key in keys},
    }
    for rows in (MeasurementRow, EarlierMeasurementRow):
        session.execute(delete(rows).where(rows.evaluation_id.in_([work.id for work in measured])))
    kept = {
        "metrics": {key: value for key, value in candidate.metrics.items() if key not in keys},
        "intervals": {key: value for key, value in candidate.intervals.items() if key not in keys},
    }
    session.execute(update(CandidateRow).where(CandidateRow.id == candidate.id).values(kept))
    return before
