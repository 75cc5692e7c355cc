"""What happened, in order: one row per change of state, written in the transaction that makes the change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, func, insert, select
from sqlalchemy.orm import Session

from db.notify import notify
from db.tables import EventRow


class EventKind(StrEnum):
    """What can happen. Retries and expired leases are `requeued`, with the error's code in the details.

    candidate_paused: trained to a rung, it waits; candidate_promoted: it goes on to the rung in the details.
    candidate_contested: it is measured again, since its place on a front is in doubt; measurements_pooled: what all its
    measurements say together, or why there is no further one. algorithm_remarked: what the search's algorithm has to
    say, such as that its model predicts no better than chance;
    phone_drifted: the reference network is outside its band; phone_recovery: a step of the recovery ladder was taken;
    measurement_failed: on a phone, with whom that is blamed on and what the phone's log said.
    """

    EXPERIMENT_CREATED = "experiment_created"
    EXPERIMENT_STOPPED = "experiment_stopped"
    EXPERIMENT_RESUMED = "experiment_resumed"
    EXPERIMENT_FINISHED = "experiment_finished"
    EXPERIMENT_CHANGED = "experiment_changed"
    EXPERIMENT_DELETED = "experiment_deleted"
    ALGORITHM_REMARKED = "algorithm_remarked"
    CANDIDATE_PROPOSED = "candidate_proposed"
    CANDIDATE_PAUSED = "candidate_paused"
    CANDIDATE_PROMOTED = "candidate_promoted"
    CANDIDATE_FINISHED = "candidate_finished"
    CANDIDATE_EXPORTED = "candidate_exported"
    CANDIDATE_PINNED = "candidate_pinned"
    CANDIDATE_UNPINNED = "candidate_unpinned"
    CANDIDATE_RERUN = "candidate_rerun"
    CANDIDATE_CONTESTED = "candidate_contested"
    EVALUATION_QUEUED = "evaluation_queued"
    EVALUATION_CLAIMED = "evaluation_claimed"
    EVALUATION_DONE = "evaluation_done"
    EVALUATION_REQUEUED = "evaluation_requeued"
    EVALUATION_HANDED_BACK = "evaluation_handed_back"
    EVALUATION_FAILED = "evaluation_failed"
    PHONE_REGISTERED = "phone_registered"
    PHONE_CHANGED = "phone_changed"
    PHONE_DRIFTED = "phone_drifted"
    PHONE_RECOVERY = "phone_recovery"
    PHONE_QUARANTINED = "phone_quarantined"
    PHONE_RELEASED = "phone_released"
    MEASUREMENT_FAILED = "measurement_failed"
    MEASUREMENTS_POOLED = "measurements_pooled"


@dataclass(frozen=True)
class Event:
    """One thing that happened; ids are None where they do not apply."""

    id: int
    at: datetime
    kind: EventKind
    experiment_id: int | None
    candidate_id: int | None
    evaluation_id: int | None
    phone_id: int | None
    details: Mapping[str, Any]


def record(
    session: Session, kind: EventKind, *, details: Mapping[str, Any] | None = None, **subject: int | None
) -> None:
    """Writes one event and wakes whoever listens once the transaction has committed.

    subject: what it is about, any of experiment_id, candidate_id, evaluation_id and phone_id.
    """
    record_all(session, kind, [{**subject, "details": dict(details or {})}])


def record_all(session: Session, kind: EventKind, rows: Sequence[Mapping[str, Any]]) -> None:
    """The same for many subjects at once; each row may have `details` too."""
    if rows:
        session.execute(insert(EventRow), [{"details": {}, **row, "kind": kind.value} for row in rows])
        notify(session)


def tail(session: Session, *, after_id: int = 0, experiment_id: int | None = None, limit: int = 100) -> list[Event]:
    """The newest events after `after_id`, oldest first.

    For people to read: a transaction that began earlier and commits later may add an event before the last one seen,
    so nothing may rest on having seen them all.
    """
    query = select(EventRow).where(EventRow.id > after_id).order_by(EventRow.id.desc()).limit(limit)
    if experiment_id is not None:
        query = query.where(EventRow.experiment_id == experiment_id)
    return _events(reversed(session.scalars(query).all()))


def following(
    session: Session,
    after_id: int,
    *,
    kinds: Sequence[EventKind] = (),
    experiment_id: int | None = None,
    limit: int = 100,
) -> list[Event]:
    """The first events after `after_id`, oldest first; of some kinds only, where kinds are given. See `tail`."""
    query = select(EventRow).where(EventRow.id > after_id).order_by(EventRow.id).limit(limit)
    return _events(session.scalars(_about(query, kinds, experiment_id)))


def latest(
    session: Session, *, kinds: Sequence[EventKind] = (), experiment_id: int | None = None, limit: int = 100
) -> list[Event]:
    """The newest events, oldest first."""
    query = select(EventRow).order_by(EventRow.id.desc()).limit(limit)
    return _events(reversed(session.scalars(_about(query, kinds, experiment_id)).all()))


def _about(
    query: Select[tuple[EventRow]], kinds: Sequence[EventKind], experiment_id: int | None
) -> Select[tuple[EventRow]]:
    if kinds:
        query = query.where(EventRow.kind.in_([kind.value for kind in kinds]))
    return query if experiment_id is None else query.where(EventRow.experiment_id == experiment_id)


def last_id(session: Session) -> int:
    """Of the newest event; 0 where there is none."""
    return session.scalar(select(func.max(EventRow.id))) or 0


def of_evaluations(session: Session, candidate_id: int) -> list[Event]:
    """All that happened to a candidate's evaluations: every claim, retry and outcome, oldest first."""
    query = select(EventRow).where(EventRow.candidate_id == candidate_id, EventRow.evaluation_id.is_not(None))
    return _events(session.scalars(query.order_by(EventRow.id)))


def _events(rows: Iterable[EventRow]) -> list[Event]:
    """But for those of kinds that a newer version knows and this one does not."""
    return [_event(row) for row in rows if row.kind in _KNOWN]


_KNOWN = frozenset(kind.value for kind in EventKind)


def _event(row: EventRow) -> Event:
    return Event(
        id=row.id,
        at=row.at,
        kind=EventKind(row.kind),
        experiment_id=row.experiment_id,
        candidate_id=row.candidate_id,
        evaluation_id=row.evaluation_id,
        phone_id=row.phone_id,
        details=row.details,
    )
