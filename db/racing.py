"""Candidates that are measured again though nothing was wrong: earlier measurements are kept, and go on counting.

An evaluation has one row in `measurements`, the latest; those before it are in `earlier_measurements`. What is known of
a candidate in the end is what all of them say together.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.orm import Session

from db import events
from db.candidates import IN_FLIGHT
from db.events import EventKind
from db.reruns import QUEUED_AGAIN
from db.tables import NOW, CandidateRow, EarlierMeasurementRow, EvaluationRow, MeasurementRow
from paretofarm.lifecycle import HALTING_CODES, CandidateStatus, EvaluationStatus, Stage
from paretofarm.metrics import LATENCY, metric_key
from paretofarm.racing import Contested, Repeated, intervals_of, pool

GIVEN_UP = "not_repeated"
"""In an evaluation's details: why it could not be measured again. What was known of it stands."""
_PUT_ASIDE = text(
    """
    WITH taken AS (DELETE FROM measurements WHERE evaluation_id = :evaluation_id RETURNING *)
    INSERT INTO earlier_measurements (evaluation_id, measurement)
    SELECT evaluation_id, to_jsonb(taken) FROM taken
    """
)
_TAKE_BACK = text(
    """
    WITH taken AS (
        DELETE FROM earlier_measurements WHERE id = (
            SELECT max(id) FROM earlier_measurements WHERE evaluation_id = :evaluation_id
        )
        RETURNING measurement
    )
    INSERT INTO measurements OVERRIDING SYSTEM VALUE
    SELECT found.* FROM taken, jsonb_populate_record(NULL::measurements, taken.measurement) found
    """
)


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


def measure_again(session: Session, experiment_id: int, chosen: Sequence[Contested]) -> int:
    """Queues measurements of complete candidates again, in the caller's transaction; how many.

    Who is not complete, or is measured again on another device class just now, is left alone.
    """
    return sum(_measure_again(session, experiment_id, each) for each in chosen)


def pool_measurements(session: Session, experiment_id: int) -> None:
    """Of candidates that were measured again: what all their measurements say is what is known of them.

    A measurement that failed for good leaves what was known before. Idempotent.
    """
    query = (
        select(EvaluationRow)
        .join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
        .where(CandidateRow.experiment_id == experiment_id, CandidateRow.status.in_(IN_FLIGHT))
        .where(EvaluationRow.id.in_(select(EarlierMeasurementRow.evaluation_id)))
        .where(EvaluationRow.status.in_([EvaluationStatus.DONE, EvaluationStatus.FAILED]))
        .order_by(EvaluationRow.id)
        .with_for_update(of=EvaluationRow)
    )
    for evaluation in session.scalars(query.execution_options(populate_existing=True)).all():
        if evaluation.status is EvaluationStatus.DONE:
            _pool(session, experiment_id, evaluation)
        elif evaluation.code not in HALTING_CODES:
            _give_up(session, experiment_id, evaluation)


def is_repetition(session: Session, evaluation_id: int) -> bool:
    """Whether it is to be measured although there is a measurement: a copy would say nothing new."""
    query = select(EarlierMeasurementRow.id).where(EarlierMeasurementRow.evaluation_id == evaluation_id)
    return session.scalar(select(query.exists())) or False


def _measure_again(session: Session, experiment_id: int, chosen: Contested) -> bool:
    query = (
        select(EvaluationRow)
        .join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
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
    session.execute(_PUT_ASIDE, {"evaluation_id": evaluation.id})
    session.execute(update(EvaluationRow).where(EvaluationRow.id == evaluation.id).values(QUEUED_AGAIN))
    # When it was found stays: in the course of a search it comes where it came.
    running = update(CandidateRow).where(CandidateRow.id == evaluation.candidate_id)
    session.execute(running.values(status=CandidateStatus.RUNNING))
    details = {"device": chosen.device, "rivals": list(chosen.rivals[:20])}
    _note(session, EventKind.CANDIDATE_CONTESTED, experiment_id, evaluation, details)
    return True


def _pool(session: Session, experiment_id: int, evaluation: EvaluationRow) -> None:
    assert evaluation.device is not None
    summaries = _summaries(session, evaluation.id)
    found = pool(intervals_of(summaries))
    key = metric_key(LATENCY, evaluation.device)
    interval = [found.low, found.high]
    known = session.execute(
        select(CandidateRow.metrics[key], CandidateRow.intervals[key]).where(CandidateRow.id == evaluation.candidate_id)
    ).one()
    if list(known) == [found.value, interval]:
        return
    change = update(CandidateRow).where(CandidateRow.id == evaluation.candidate_id)
    metrics = CandidateRow.metrics.op("||")({key: found.value})
    intervals = CandidateRow.intervals.op("||")({key: interval})
    session.execute(change.values(metrics=metrics, intervals=intervals))
    details = {"device": evaluation.device, "measurements": len(summaries), "latency_ms": found.value}
    _note(session, EventKind.MEASUREMENTS_POOLED, experiment_id, evaluation, {**details, "interval": interval})


def _summaries(session: Session, evaluation_id: int) -> list[Mapping[str, float]]:
    """Of all measurements, the oldest first."""
    earlier = select(EarlierMeasurementRow.measurement["summary"])
    earlier = earlier.where(EarlierMeasurementRow.evaluation_id == evaluation_id).order_by(EarlierMeasurementRow.id)
    latest = select(MeasurementRow.summary).where(MeasurementRow.evaluation_id == evaluation_id)
    return [*session.scalars(earlier), *session.scalars(latest)]


def _give_up(session: Session, experiment_id: int, evaluation: EvaluationRow) -> None:
    reason = evaluation.reason or evaluation.code or "failed"
    session.execute(_TAKE_BACK, {"evaluation_id": evaluation.id})
    kept: dict[str, Any] = {"status": EvaluationStatus.DONE, "code": None, "reason": None, "finished_at": NOW}
    details = EvaluationRow.details.op("||")({GIVEN_UP: reason})
    session.execute(update(EvaluationRow).where(EvaluationRow.id == evaluation.id).values(**kept, details=details))
    given_up = {"device": evaluation.device, "reason": reason}
    _note(session, EventKind.MEASUREMENTS_POOLED, experiment_id, evaluation, given_up)


def _note(
    session: Session, kind: EventKind, experiment_id: int, evaluation: EvaluationRow, details: Mapping[str, Any]
) -> None:
    subject = {"candidate_id": evaluation.candidate_id, "evaluation_id": evaluation.id}
    events.record(session, kind, experiment_id=experiment_id, **subject, details=details)
