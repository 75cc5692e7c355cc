"""Candidates that are measured again though nothing was wrong: earlier measurements are kept, and go on counting.

An evaluation has one row in `measurements`, the latest; those before it are in `earlier_measurements`, where a trigger
of the database puts them when another comes. What is known of a candidate is what all of them say together. It stays
complete, and on its front, while it is measured again.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from db import events
from db.claim import Claim
from db.events import EventKind
from db.reruns import QUEUED_AGAIN
from db.tables import NOW, CandidateRow, EarlierMeasurementRow, EvaluationRow, MeasurementRow
from paretofarm.lifecycle import HALTING_CODES, CandidateStatus, EvaluationStatus, Stage
from paretofarm.metrics import LATENCY, metric_key
from paretofarm.racing import Contested, Repeated, intervals_of, pool

GIVEN_UP = "not_repeated"
"""In an evaluation's details: why it could not be measured again. What was known of it stands."""


def repeated(session: Session, experiment_id: int) -> list[Repeated]:
    """Who of a search was measured more than once, or was to be."""
    before = (
        select(EarlierMeasurementRow.evaluation_id, func.count().label("number"))
        .group_by(EarlierMeasurementRow.evaluation_id)
        .subquery()
    )
    given_up = EvaluationRow.details.has_key(GIVEN_UP)
    query = (
        select(CandidateRow.number, EvaluationRow.device, func.coalesce(before.c.number, 0) + 1, given_up)
        .join(EvaluationRow, EvaluationRow.candidate_id == CandidateRow.id)
        .outerjoin(before, before.c.evaluation_id == EvaluationRow.id)
        .where(CandidateRow.experiment_id == experiment_id, EvaluationRow.stage == Stage.MEASURE)
        .where(or_(before.c.number.is_not(None), given_up))
        .order_by(CandidateRow.number, EvaluationRow.id)
    )
    return [Repeated(*row) for row in session.execute(query).tuples()]


def repetitions(session: Session, experiment_id: int) -> tuple[int, int]:
    """How often candidates of a search were measured once more until now, and how many are being so: as long as both
    are what they were, so is what is known of complete candidates."""
    made = select(func.count()).select_from(EarlierMeasurementRow)
    made = made.join(EvaluationRow, EvaluationRow.id == EarlierMeasurementRow.evaluation_id)
    made = made.join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
    made = made.where(CandidateRow.experiment_id == experiment_id)
    under_way = select(func.count()).select_from(CandidateRow)
    under_way = under_way.where(CandidateRow.experiment_id == experiment_id, CandidateRow.contested_at.is_not(None))
    return session.scalar(made) or 0, session.scalar(under_way) or 0


def measure_again(session: Session, experiment_id: int, chosen: Sequence[Contested]) -> int:
    """Queues measurements of complete candidates again, in the caller's transaction; how many.

    Who is not complete, or is measured again on that device class just now, is left alone.
    """
    return sum(_measure_again(session, experiment_id, each) for each in chosen)


def pool_measurements(session: Session, claim: Claim) -> None:
    """After a measurement, in its transaction: what all that were made say is what is known of the candidate."""
    summaries = _summaries(session, claim.evaluation_id)
    if len(summaries) < 2:
        return
    assert claim.step.device is not None
    found = pool(intervals_of(summaries))
    key, interval = metric_key(LATENCY, claim.step.device), [found.low, found.high]
    change = update(CandidateRow).where(CandidateRow.id == claim.candidate_id)
    metrics = CandidateRow.metrics.op("||")({key: found.value})
    intervals = CandidateRow.intervals.op("||")({key: interval})
    session.execute(change.values(metrics=metrics, intervals=intervals))
    said = {"device": claim.step.device, "measurements": len(summaries), "latency_ms": found.value}
    subject = {"candidate_id": claim.candidate_id, "evaluation_id": claim.evaluation_id}
    details = {**said, "interval": interval}
    _note(session, EventKind.MEASUREMENTS_POOLED, claim.experiment_id, subject, details)


def give_up_repetitions(session: Session, experiment_id: int) -> None:
    """A repeated measurement that failed for good leaves the candidate what it was, and is not tried again.

    Idempotent.
    """
    query = (
        select(EvaluationRow)
        .join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
        .where(CandidateRow.experiment_id == experiment_id, CandidateRow.contested_at.is_not(None))
        .where(EvaluationRow.stage == Stage.MEASURE, EvaluationRow.status == EvaluationStatus.FAILED)
        .where(EvaluationRow.code.not_in(HALTING_CODES))
        .order_by(EvaluationRow.id)
        .with_for_update(of=EvaluationRow)
    )
    for evaluation in session.scalars(query.execution_options(populate_existing=True)).all():
        _give_up(session, experiment_id, evaluation)


def earlier_summaries(session: Session, evaluation_ids: Collection[int]) -> dict[int, list[Mapping[str, Any]]]:
    """Of the measurements before the latest, the oldest first; by evaluation, of those that have any."""
    query = select(EarlierMeasurementRow.evaluation_id, EarlierMeasurementRow.measurement["summary"])
    query = query.where(EarlierMeasurementRow.evaluation_id.in_(evaluation_ids)).order_by(EarlierMeasurementRow.id)
    found: dict[int, list[Mapping[str, Any]]] = {}
    for evaluation_id, summary in session.execute(query).tuples():
        found.setdefault(evaluation_id, []).append(summary)
    return found


def is_repetition(session: Session, evaluation_id: int) -> bool:
    """Whether it is to be measured although there is a measurement: a copy would say nothing new."""
    query = select(MeasurementRow.id).where(MeasurementRow.evaluation_id == evaluation_id)
    return session.scalar(select(query.exists())) or False


def _measure_again(session: Session, experiment_id: int, chosen: Contested) -> bool:
    query = (
        select(EvaluationRow)
        .join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
        .join(MeasurementRow, MeasurementRow.evaluation_id == EvaluationRow.id)
        .where(CandidateRow.experiment_id == experiment_id, CandidateRow.number == chosen.number)
        .where(CandidateRow.status == CandidateStatus.COMPLETE)
        .where(EvaluationRow.stage == Stage.MEASURE, EvaluationRow.device == chosen.device)
        .where(EvaluationRow.status == EvaluationStatus.DONE)
        .order_by(EvaluationRow.id.desc())
        .limit(1)
        .with_for_update(of=EvaluationRow)
    )
    evaluation = session.scalar(query)
    if evaluation is None:
        return False
    session.execute(update(EvaluationRow).where(EvaluationRow.id == evaluation.id).values(QUEUED_AGAIN))
    contested = update(CandidateRow).where(CandidateRow.id == evaluation.candidate_id)
    session.execute(contested.values(contested_at=func.coalesce(CandidateRow.contested_at, NOW)))
    details = {"device": chosen.device, "rivals": list(chosen.rivals[:20])}
    _note(session, EventKind.CANDIDATE_CONTESTED, experiment_id, _subject(evaluation), details)
    return True


def _summaries(session: Session, evaluation_id: int) -> list[Mapping[str, float]]:
    """Of all measurements, the oldest first."""
    latest = select(MeasurementRow.summary).where(MeasurementRow.evaluation_id == evaluation_id)
    return [*earlier_summaries(session, [evaluation_id]).get(evaluation_id, ()), *session.scalars(latest)]


def _give_up(session: Session, experiment_id: int, evaluation: EvaluationRow) -> None:
    reason = evaluation.reason or evaluation.code or "failed"
    kept: dict[str, Any] = {"status": EvaluationStatus.DONE, "code": None, "reason": None, "finished_at": NOW}
    details = EvaluationRow.details.op("||")({GIVEN_UP: reason})
    session.execute(update(EvaluationRow).where(EvaluationRow.id == evaluation.id).values(**kept, details=details))
    given_up = {"device": evaluation.device, "reason": reason}
    _note(session, EventKind.MEASUREMENTS_POOLED, experiment_id, _subject(evaluation), given_up)


def _subject(evaluation: EvaluationRow) -> dict[str, int]:
    return {"candidate_id": evaluation.candidate_id, "evaluation_id": evaluation.id}


def _note(
    session: Session, kind: EventKind, experiment_id: int, subject: Mapping[str, int], details: Mapping[str, Any]
) -> None:
    events.record(session, kind, experiment_id=experiment_id, **subject, details=details)
