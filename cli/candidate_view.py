"""Everything that is known about one candidate, read in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import (
    ArtifactRow,
    CandidateArtifactRow,
    CandidateRow,
    EvaluationRow,
    ExperimentRow,
    MeasurementRow,
    PhoneRow,
    TrainingMetricsRow,
)
from paretofarm.errors import NotFound
from paretofarm.lifecycle import Step


@dataclass(frozen=True)
class Parent:
    """changes: choice to (the parent's value, the child's), None where one of them has no such choice."""

    id: int
    digest: str
    changes: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Work:
    """One evaluation. details: whatever its stage keeps, such as scores per class."""

    id: int
    step: str
    status: str
    attempt: int
    failures: int
    owner: str | None
    code: str | None
    reason: str | None
    duration_s: float | None
    details: Mapping[str, Any]


@dataclass(frozen=True)
class MeasurementView:
    """summary: latencies in milliseconds; blocks: number of samples in each block."""

    device: str
    phone: str
    simulated: bool
    runtime: str
    summary: Mapping[str, Any]
    conditions: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True)
class Epoch:
    epoch: int
    train_loss: float
    metrics: Mapping[str, float]
    duration_s: float


@dataclass(frozen=True)
class Artifact:
    kind: str
    device: str | None
    sha256: str
    size_bytes: int
    uri: str


@dataclass(frozen=True)
class CandidateView:
    """metrics, intervals: by metric key, of all device classes."""

    id: int
    number: int
    search: str
    digest: str
    status: str
    reason: str | None
    origin: str
    simulated: bool
    metrics: Mapping[str, float]
    intervals: Mapping[str, Sequence[float]]
    architecture: Mapping[str, Any]
    parents: tuple[Parent, ...]
    evaluations: tuple[Work, ...]
    measurements: tuple[MeasurementView, ...]
    epochs: tuple[Epoch, ...]
    artifacts: tuple[Artifact, ...]

    @property
    def per_class(self) -> Mapping[str, Mapping[str, float] | None]:
        """Scores by class of the last training; None for a class that never occurs."""
        found = [work.details["per_class"] for work in self.evaluations if "per_class" in work.details]
        return found[-1] if found else {}


def read_candidate(session: Session, candidate_id: int) -> CandidateView:
    """Errors: NotFound."""
    query = select(CandidateRow, ExperimentRow.name).join(ExperimentRow, ExperimentRow.id == CandidateRow.experiment_id)
    found = session.execute(query.where(CandidateRow.id == candidate_id)).tuples().one_or_none()
    if found is None:
        raise NotFound(f"there is no candidate {candidate_id}: `paretofarm candidates SEARCH` lists their ids")
    row, search = found
    return CandidateView(
        id=row.id,
        number=row.number,
        search=search,
        digest=row.digest,
        status=row.status.value,
        reason=row.reason,
        origin=row.origin,
        simulated=row.simulated,
        metrics=row.metrics,
        intervals=row.intervals,
        architecture=row.architecture,
        parents=_parents(session, row),
        evaluations=_evaluations(session, candidate_id),
        measurements=_measurements(session, candidate_id),
        epochs=_epochs(session, candidate_id),
        artifacts=_artifacts(session, candidate_id),
    )


def choice_changes(parent: Mapping[str, Any], child: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Choices that differ, by name; None where one of the two has no such choice."""
    names = sorted({*parent, *child})
    return {name: (parent.get(name), child.get(name)) for name in names if parent.get(name) != child.get(name)}


def _parents(session: Session, row: CandidateRow) -> tuple[Parent, ...]:
    query = select(CandidateRow).where(
        CandidateRow.experiment_id == row.experiment_id, CandidateRow.number.in_(row.parents)
    )
    own = row.architecture["choices"]
    return tuple(
        Parent(parent.id, parent.digest, choice_changes(parent.architecture["choices"], own))
        for parent in session.scalars(query.order_by(CandidateRow.number))
    )


def _evaluations(session: Session, candidate_id: int) -> tuple[Work, ...]:
    query = select(EvaluationRow).where(EvaluationRow.candidate_id == candidate_id).order_by(EvaluationRow.id)
    return tuple(
        Work(
            id=row.id,
            step=str(Step(row.stage, row.device, row.rung)),
            status=row.status.value,
            attempt=row.attempt,
            failures=row.failures,
            owner=row.owner,
            code=row.code,
            reason=row.reason,
            duration_s=_seconds(row.started_at, row.finished_at),
            details=row.details,
        )
        for row in session.scalars(query)
    )


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start and end else None


def _measurements(session: Session, candidate_id: int) -> tuple[MeasurementView, ...]:
    query = select(MeasurementRow, PhoneRow).join(PhoneRow, PhoneRow.id == MeasurementRow.phone_id)
    query = query.join(EvaluationRow, EvaluationRow.id == MeasurementRow.evaluation_id)
    rows = session.execute(query.where(EvaluationRow.candidate_id == candidate_id).order_by(MeasurementRow.id)).tuples()
    return tuple(
        MeasurementView(
            device=phone.device,
            phone=phone.serial,
            simulated=row.simulated,
            runtime=row.runtime,
            summary=row.summary,
            conditions=row.conditions,
            created_at=row.created_at,
        )
        for row, phone in rows
    )


def _epochs(session: Session, candidate_id: int) -> tuple[Epoch, ...]:
    query = select(TrainingMetricsRow).join(EvaluationRow, EvaluationRow.id == TrainingMetricsRow.evaluation_id)
    query = query.where(EvaluationRow.candidate_id == candidate_id).order_by(TrainingMetricsRow.epoch)
    return tuple(Epoch(row.epoch, row.train_loss, row.metrics, row.duration_s) for row in session.scalars(query))


def _artifacts(session: Session, candidate_id: int) -> tuple[Artifact, ...]:
    query = select(CandidateArtifactRow, ArtifactRow).join(
        ArtifactRow, ArtifactRow.sha256 == CandidateArtifactRow.sha256
    )
    rows = session.execute(query.where(CandidateArtifactRow.candidate_id == candidate_id)).tuples()
    found = [Artifact(link.kind, link.device, row.sha256, row.size_bytes, row.uri) for link, row in rows]
    return tuple(sorted(found, key=lambda artifact: (artifact.kind, artifact.device or "")))
