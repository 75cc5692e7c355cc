"""Everything about one candidate: its parents, what was done with it, what was measured, what it left behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import events
from db.artifact import CandidateArtifact
from db.events import Event
from db.racing import earlier_summaries
from db.scores import ReportedScore, scores
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
from paretofarm.architecture import Architecture, Value
from paretofarm.calibration import CalibrationResult
from paretofarm.errors import NotFound
from paretofarm.lifecycle import CandidateStatus, EvaluationStatus, Stage, Step


@dataclass(frozen=True)
class Parent:
    """changes: choice → (the parent's value, the child's), None where one of the two has no such choice."""

    id: int
    number: int
    digest: str
    changes: Mapping[str, tuple[Value | None, Value | None]]


@dataclass(frozen=True)
class ReportedMeasurement:
    """device: the phone's class; samples: per block, in ms; summary, conditions, details: as the agent wrote them.

    reused_from: id of the measurement that this one is a copy of. earlier: summaries of those before it, the oldest
    first, of a candidate that was measured again; the candidate's latency is what all of them say together.
    """

    device: str
    phone: str
    network_sha256: str
    runtime: str
    protocol: int
    simulated: bool
    samples: Sequence[Mapping[str, Any]]
    summary: Mapping[str, Any]
    conditions: Mapping[str, Any]
    details: Mapping[str, Any]
    reused_from: int | None
    earlier: tuple[Mapping[str, Any], ...]
    created_at: datetime


@dataclass(frozen=True)
class ReportedEpoch:
    """One epoch of the learning curve."""

    epoch: int
    train_loss: float
    metrics: Mapping[str, float]
    duration_s: float


@dataclass(frozen=True)
class ReportedEvaluation:
    """One stage. history: every claim, retry and outcome. details: what its stage keeps, such as scores per class."""

    id: int
    step: Step
    status: EvaluationStatus
    attempt: int
    failures: int
    owner: str | None
    progress: float | None
    code: str | None
    reason: str | None
    details: Mapping[str, Any]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    history: tuple[Event, ...]
    epochs: tuple[ReportedEpoch, ...]
    measurement: ReportedMeasurement | None

    @property
    def duration_s(self) -> float | None:
        """From the claim to the outcome of the last attempt; None before that."""
        return (self.finished_at - self.started_at).total_seconds() if self.started_at and self.finished_at else None


@dataclass(frozen=True)
class CandidateDetail:
    """metrics, intervals: by key, of all device classes."""

    id: int
    number: int
    search: str
    architecture: Architecture
    status: CandidateStatus
    reason: str | None
    origin: str
    simulated: bool
    pinned: bool
    metrics: Mapping[str, float]
    intervals: Mapping[str, Sequence[float]]
    created_at: datetime
    finished_at: datetime | None
    parents: tuple[Parent, ...]
    evaluations: tuple[ReportedEvaluation, ...]
    artifacts: tuple[CandidateArtifact, ...]

    @property
    def digest(self) -> str:
        return self.architecture.digest

    @property
    def measurements(self) -> tuple[ReportedMeasurement, ...]:
        return tuple(work.measurement for work in self.evaluations if work.measurement is not None)

    @property
    def epochs(self) -> tuple[ReportedEpoch, ...]:
        """The learning curve over all rungs."""
        return tuple(sorted((epoch for work in self.evaluations for epoch in work.epochs), key=lambda each: each.epoch))

    @property
    def per_class(self) -> Mapping[str, Mapping[str, float] | None]:
        """Scores by class of the last training; None for a class that never occurs."""
        trainings = [work for work in self.evaluations if work.step.stage is Stage.TRAIN]
        found = [work.details["per_class"] for work in trainings if "per_class" in work.details]
        return found[-1] if found else {}

    @property
    def calibrations(self) -> Mapping[str, CalibrationResult]:
        """What decided how its trained network was quantized, by device class; of the last compilation."""
        return {
            work.step.device: CalibrationResult.from_dict(work.details["calibration"])
            for work in self.evaluations
            if work.step.device is not None and "calibration" in work.details
        }

    @property
    def scores(self) -> tuple[ReportedScore, ...]:
        """How good it is on each device class that it was scored on."""
        done = [work for work in self.evaluations if work.status is EvaluationStatus.DONE]
        return scores({work.step: work.details for work in done}, self.metrics)


def candidate(session: Session, candidate_id: int) -> CandidateDetail:
    """Everything about one candidate. NotFound names an id that does not exist."""
    query = select(CandidateRow, ExperimentRow.name).join(ExperimentRow, ExperimentRow.id == CandidateRow.experiment_id)
    found = session.execute(query.where(CandidateRow.id == candidate_id)).tuples().one_or_none()
    if found is None:
        raise NotFound(f"there is no candidate {candidate_id}: `paretofarm candidates SEARCH` lists their ids")
    row, search = found
    return CandidateDetail(
        id=row.id,
        number=row.number,
        search=search,
        architecture=Architecture.from_dict(row.architecture),
        status=row.status,
        reason=row.reason,
        origin=row.origin,
        simulated=row.simulated,
        pinned=row.pinned_at is not None,
        metrics=row.metrics,
        intervals=row.intervals,
        created_at=row.created_at,
        finished_at=row.finished_at,
        parents=_parents(session, row),
        evaluations=_evaluations(session, candidate_id),
        artifacts=_artifacts(session, candidate_id),
    )


def choice_changes(
    parent: Mapping[str, Value], child: Mapping[str, Value]
) -> dict[str, tuple[Value | None, Value | None]]:
    """Choices that differ, by name: (the parent's value, the child's)."""
    names = sorted({*parent, *child})
    return {name: (parent.get(name), child.get(name)) for name in names if parent.get(name) != child.get(name)}


def _parents(session: Session, child: CandidateRow) -> tuple[Parent, ...]:
    query = select(CandidateRow).where(
        CandidateRow.experiment_id == child.experiment_id, CandidateRow.number.in_(child.parents)
    )
    choices = child.architecture["choices"]
    return tuple(
        Parent(row.id, row.number, row.digest, choice_changes(row.architecture["choices"], choices))
        for row in session.scalars(query.order_by(CandidateRow.number))
    )


def _evaluations(session: Session, candidate_id: int) -> tuple[ReportedEvaluation, ...]:
    history = events.of_evaluations(session, candidate_id)
    epochs = _epochs(session, candidate_id)
    measurements = _measurements(session, candidate_id)
    rows = session.scalars(
        select(EvaluationRow).where(EvaluationRow.candidate_id == candidate_id).order_by(EvaluationRow.id)
    )
    return tuple(
        ReportedEvaluation(
            id=row.id,
            step=Step(row.stage, row.device, row.rung),
            status=row.status,
            attempt=row.attempt,
            failures=row.failures,
            owner=row.owner,
            progress=row.progress,
            code=row.code,
            reason=row.reason,
            details=row.details,
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            history=tuple(event for event in history if event.evaluation_id == row.id),
            epochs=tuple(epochs.get(row.id, ())),
            measurement=measurements.get(row.id),
        )
        for row in rows
    )


def _epochs(session: Session, candidate_id: int) -> dict[int, list[ReportedEpoch]]:
    query = select(TrainingMetricsRow).join(EvaluationRow, EvaluationRow.id == TrainingMetricsRow.evaluation_id)
    query = query.where(EvaluationRow.candidate_id == candidate_id).order_by(TrainingMetricsRow.epoch)
    found: dict[int, list[ReportedEpoch]] = {}
    for row in session.scalars(query):
        epoch = ReportedEpoch(row.epoch, row.train_loss, row.metrics, row.duration_s)
        found.setdefault(row.evaluation_id, []).append(epoch)
    return found


def _measurements(session: Session, candidate_id: int) -> dict[int, ReportedMeasurement]:
    query = select(MeasurementRow, PhoneRow).join(PhoneRow, PhoneRow.id == MeasurementRow.phone_id)
    query = query.join(EvaluationRow, EvaluationRow.id == MeasurementRow.evaluation_id)
    rows = session.execute(query.where(EvaluationRow.candidate_id == candidate_id)).tuples().all()
    earlier = earlier_summaries(session, [row.evaluation_id for row, _ in rows])
    return {
        row.evaluation_id: ReportedMeasurement(
            device=phone.device,
            phone=phone.serial,
            network_sha256=row.network_sha256,
            runtime=row.runtime,
            protocol=row.protocol,
            simulated=row.simulated,
            samples=row.samples,
            summary=row.summary,
            conditions=row.conditions,
            details=row.details,
            reused_from=row.reused_from,
            earlier=tuple(earlier.get(row.evaluation_id, ())),
            created_at=row.created_at,
        )
        for row, phone in rows
    }


def _artifacts(session: Session, candidate_id: int) -> tuple[CandidateArtifact, ...]:
    """All of them, by kind and device class."""
    query = select(CandidateArtifactRow, ArtifactRow).join(
        ArtifactRow, ArtifactRow.sha256 == CandidateArtifactRow.sha256
    )
    rows = session.execute(query.where(CandidateArtifactRow.candidate_id == candidate_id)).tuples()
    found = [
        CandidateArtifact(
            row.sha256,
            link.kind,
            row.size_bytes,
            row.uri,
            link.device,
            None if row.deleted_at is None else row.deleted_at.isoformat(),
        )
        for link, row in rows
    ]
    return tuple(sorted(found, key=lambda artifact: (artifact.kind, artifact.device or "")))
