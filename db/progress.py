"""How far a search is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Double, cast, func, select
from sqlalchemy.orm import Session

from db.candidates import OPEN, at_work, counts
from db.events import EventKind
from db.experiments import ExperimentStatus, StoredExperiment
from db.tables import NOW, CandidateRow, EvaluationRow, EventRow
from paretofarm.lifecycle import CandidateStatus, EvaluationStatus, Stage

RATE_WINDOW = 20


@dataclass(frozen=True)
class StageLoad:
    """How many evaluations of a stage are being worked on, and how many wait."""

    leased: int
    queued: int


@dataclass(frozen=True)
class Progress:
    """counts: candidates by status, all named; stages: those with open evaluations, in order.

    failures: failed evaluations by error code, the most frequent first. per_minute: candidates completed lately; None
    before the first. eta_s: until enough are complete; None where that cannot be said.
    """

    counts: Mapping[CandidateStatus, int]
    stages: Mapping[Stage, StageLoad]
    failures: Mapping[str, int]
    elapsed_s: float
    per_minute: float | None
    eta_s: float | None


def progress(session: Session, search: StoredExperiment, known_failures: Mapping[str, int] | None = None) -> Progress:
    """A search's progress now, by the database's clock. known_failures: where somebody has counted them lately."""
    by_status = counts(session, search.id)
    per_minute = _per_minute(session, search)
    left = search.experiment.stop.candidates - by_status[CandidateStatus.COMPLETE]
    return Progress(
        counts=by_status,
        stages=_stages(session, search.id),
        failures=failures(session, search.id) if known_failures is None else known_failures,
        elapsed_s=elapsed_s(session, search),
        per_minute=per_minute,
        eta_s=max(left, 0) / per_minute * 60 if per_minute and search.finished_at is None else None,
    )


def _stages(session: Session, experiment_id: int) -> dict[Stage, StageLoad]:
    query = select(
        EvaluationRow.stage,
        func.count().filter(EvaluationRow.status == EvaluationStatus.LEASED),
        func.count().filter(EvaluationRow.status == EvaluationStatus.QUEUED),
    )
    query = query.join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
    query = query.where(CandidateRow.experiment_id == experiment_id, at_work())
    query = query.where(EvaluationRow.status.in_(OPEN)).group_by(EvaluationRow.stage)
    found = {stage: StageLoad(leased, queued) for stage, leased, queued in session.execute(query).tuples()}
    return {stage: found[stage] for stage in Stage if stage in found}


def failures(session: Session, experiment_id: int) -> dict[str, int]:
    """Failed evaluations by error code, the most frequent first."""
    count = func.count()
    query = select(EvaluationRow.code, count).join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
    query = query.where(CandidateRow.experiment_id == experiment_id, EvaluationRow.status == EvaluationStatus.FAILED)
    query = query.group_by(EvaluationRow.code).order_by(count.desc(), EvaluationRow.code)
    return {code or "": number for code, number in session.execute(query).tuples()}


def elapsed_s(session: Session, search: StoredExperiment) -> float:
    """Since the search began, until it was over or stopped."""
    until = search.finished_at or _stopped_at(session, search) or session.scalars(select(NOW)).one()
    return (until - search.created_at).total_seconds()


def _stopped_at(session: Session, search: StoredExperiment) -> datetime | None:
    """None where it is not stopped."""
    if search.status is not ExperimentStatus.STOPPED:
        return None
    query = select(EventRow.at).where(EventRow.experiment_id == search.id)
    query = query.where(EventRow.kind == EventKind.EXPERIMENT_STOPPED.value)
    return session.scalar(query.order_by(EventRow.id.desc()).limit(1))  # found at once: little happens after it


def _per_minute(session: Session, search: StoredExperiment) -> float | None:
    """Over the last completions and the time since before them: it follows changes of pace, and stalls too."""
    query = select(cast(func.extract("epoch", NOW - CandidateRow.finished_at), Double))
    query = query.where(CandidateRow.experiment_id == search.id, CandidateRow.status == CandidateStatus.COMPLETE)
    query = query.where(CandidateRow.finished_at.is_not(None))
    query = query.order_by(CandidateRow.finished_at.desc()).limit(RATE_WINDOW + 1)
    ages_s: Sequence[float] = session.scalars(query).all()
    if not ages_s:
        return None
    if len(ages_s) > RATE_WINDOW:
        return RATE_WINDOW / max(ages_s[-1], 1e-3) * 60
    return len(ages_s) / max(elapsed_s(session, search), 1e-3) * 60
