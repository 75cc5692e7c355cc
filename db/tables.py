"""The tables. They and the views are a public interface (docs/glossary.md has the words): rename nothing lightly.

Times are timestamptz, written by the database's clock. Units are in the names. JSONB columns hold finite numbers only.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    Double,
    Enum,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql.type_api import TypeEngine

from paretofarm.access import Scope
from paretofarm.lifecycle import CandidateStatus, EvaluationStatus, Stage
from paretofarm.phone_health import PhoneState

Json = dict[str, Any]


class ExperimentStatus(StrEnum):
    """`running ⇄ stopped`, then `finished`. Stopped: nothing is proposed; candidates in flight come to their end."""

    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"


def _values(kind: type[StrEnum]) -> list[str]:
    return [member.value for member in kind]


def _enum(kind: type[StrEnum]) -> Enum:
    return Enum(kind, native_enum=False, create_constraint=False, length=16, values_callable=_values)


def _one_of(column: str, kind: type[StrEnum]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in _values(kind))
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


_TYPES: dict[Any, TypeEngine[Any]] = {
    int: BigInteger(),
    str: Text(),
    float: Double(),
    datetime: DateTime(timezone=True),
    Json: JSONB(),
    list[Any]: JSONB(),
    list[int]: ARRAY(BigInteger()),
    list[str]: ARRAY(Text()),
    UUID: Uuid(),
    ExperimentStatus: _enum(ExperimentStatus),
    PhoneState: _enum(PhoneState),
    CandidateStatus: _enum(CandidateStatus),
    EvaluationStatus: _enum(EvaluationStatus),
    Stage: _enum(Stage),
    Scope: _enum(Scope),
}

NOW = func.clock_timestamp(type_=DateTime(timezone=True))
"""Time of the statement rather than of the transaction's begin: leases and ages are compared across transactions."""


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = _TYPES
    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "ck": "%(table_name)s_%(constraint_name)s",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        }
    )


def _id() -> Mapped[int]:
    return mapped_column(Identity(always=True), primary_key=True)


def _json() -> Mapped[Json]:
    return mapped_column(server_default=text("'{}'::jsonb"))


def _now() -> Mapped[datetime]:
    return mapped_column(server_default=NOW)


def _of(target: str, *, index: bool = False) -> Mapped[int]:
    return mapped_column(ForeignKey(target, ondelete="CASCADE"), index=index)


class ExperimentRow(Base):
    """A search. `source` is the user's file verbatim, `config` the same as the validated model."""

    __tablename__ = "experiments"
    __table_args__ = (
        _one_of("status", ExperimentStatus),
        Index("experiments_unfinished_idx", "id", postgresql_where=text("status <> 'finished'")),
    )

    id: Mapped[int] = _id()
    name: Mapped[str] = mapped_column(unique=True)
    status: Mapped[ExperimentStatus] = mapped_column(server_default="running")
    source: Mapped[str]
    config: Mapped[Json]
    devices: Mapped[list[str]]
    """Device classes that the config names, in order of first mention."""
    seed: Mapped[int]
    code_version: Mapped[str]
    reason: Mapped[str | None]
    """Why the search was stopped, where not by the user."""
    created_at: Mapped[datetime] = _now()
    finished_at: Mapped[datetime | None]


class CandidateRow(Base):
    """One architecture of a search, and all that is known about it.

    metrics, intervals: by metric key, `name` or `name@device`. parents: numbers of candidates of the same search.
    simulated: some metric comes from a simulated phone.
    """

    __tablename__ = "candidates"
    __table_args__ = (
        _one_of("status", CandidateStatus),
        UniqueConstraint("experiment_id", "digest"),
        UniqueConstraint("experiment_id", "number"),
        CheckConstraint("length(digest) = 64", name="digest_sha256"),
        Index(
            "candidates_unfinished_idx",
            "experiment_id",
            "number",
            postgresql_where=text("status IN ('proposed', 'running')"),
        ),
        Index("candidates_complete_idx", "experiment_id", "number", postgresql_where=text("status = 'complete'")),
        Index("candidates_status_idx", "experiment_id", "status"),
        Index(
            "candidates_rejected_idx",
            "experiment_id",
            "number",
            postgresql_where=text("status IN ('infeasible', 'failed')"),
        ),
        Index("candidates_finished_idx", "experiment_id", "finished_at", postgresql_where=text("status = 'complete'")),
    )

    id: Mapped[int] = _id()
    experiment_id: Mapped[int] = _of("experiments.id")
    number: Mapped[int]
    digest: Mapped[str]
    architecture: Mapped[Json]
    origin: Mapped[str]
    parents: Mapped[list[int]]
    status: Mapped[CandidateStatus] = mapped_column(server_default="proposed")
    reason: Mapped[str | None]
    metrics: Mapped[Json] = _json()
    intervals: Mapped[Json] = _json()
    simulated: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = _now()
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    exported_at: Mapped[datetime | None]
    """When somebody last took the candidate's networks away to use them: its artifacts are then kept for ever."""
    pinned_at: Mapped[datetime | None]
    """Since when somebody wants it kept and shown first."""


class EvaluationRow(Base):
    """One stage of one candidate, for a device class or a rung: what Celery messages are about.

    attempt: rises whenever the evaluation is queued again, so that messages about an earlier one are stale.
    failures: how many attempts ended in an error; what the retry limit counts. token, owner, lease_expires_at: the
    lease, set together. dispatched_at: when a message about this attempt was last sent.
    """

    __tablename__ = "evaluations"
    __table_args__ = (
        _one_of("status", EvaluationStatus),
        _one_of("stage", Stage),
        UniqueConstraint("candidate_id", "stage", "device", "rung", postgresql_nulls_not_distinct=True),
        CheckConstraint(
            "(status = 'leased') = (token IS NOT NULL AND lease_expires_at IS NOT NULL)", name="lease_has_token"
        ),
        Index("evaluations_queued_idx", "queue", "id", postgresql_where=text("status = 'queued'")),
        Index("evaluations_leased_idx", "lease_expires_at", postgresql_where=text("status = 'leased'")),
        Index("evaluations_failed_idx", "candidate_id", "code", postgresql_where=text("status = 'failed'")),
    )

    id: Mapped[int] = _id()
    candidate_id: Mapped[int] = _of("candidates.id")
    stage: Mapped[Stage]
    device: Mapped[str | None]
    rung: Mapped[int | None]
    queue: Mapped[str]
    status: Mapped[EvaluationStatus] = mapped_column(server_default="queued")
    attempt: Mapped[int] = mapped_column(server_default=text("1"))
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    token: Mapped[UUID | None]
    owner: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]
    progress: Mapped[float | None]
    not_before: Mapped[datetime] = _now()
    dispatched_at: Mapped[datetime | None]
    code: Mapped[str | None]
    reason: Mapped[str | None]
    details: Mapped[Json] = _json()
    created_at: Mapped[datetime] = _now()
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class MeasurementRow(Base):
    """What a phone measured: all raw samples by block (milliseconds), the summary, and the conditions around it.

    details: what else was seen (nested times, memory, energy). reused_from: the measurement that this one repeats,
    word by word, since the same network had been measured under the same protocol on the same device class.
    """

    __tablename__ = "measurements"
    __table_args__ = (Index("measurements_network_idx", "network_sha256", "device", "protocol_key"),)

    id: Mapped[int] = _id()
    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluations.id", ondelete="CASCADE"), unique=True)
    phone_id: Mapped[int] = mapped_column(ForeignKey("phones.id"), index=True)
    network_sha256: Mapped[str]
    runtime: Mapped[str]
    protocol: Mapped[int]
    device: Mapped[str | None]
    protocol_key: Mapped[str | None]
    samples: Mapped[list[Any]]
    summary: Mapped[Json]
    conditions: Mapped[Json]
    details: Mapped[Json] = _json()
    reused_from: Mapped[int | None]
    simulated: Mapped[bool]
    created_at: Mapped[datetime] = _now()


class TrainingMetricsRow(Base):
    """One epoch of a training; epochs count from 1 over all rungs of the candidate."""

    __tablename__ = "training_metrics"

    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluations.id", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    train_loss: Mapped[float]
    metrics: Mapped[Json] = _json()
    duration_s: Mapped[float]
    created_at: Mapped[datetime] = _now()


class ArtifactRow(Base):
    """A file in the artifact store, by content. `kind` is what it was first stored as.

    deleted_at, deleted_reason: it was removed from the store to save space; set before the file goes.
    """

    __tablename__ = "artifacts"
    __table_args__ = (CheckConstraint("length(sha256) = 64", name="sha256_hex"),)

    sha256: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    size_bytes: Mapped[int]
    uri: Mapped[str]
    created_at: Mapped[datetime] = _now()
    deleted_at: Mapped[datetime | None]
    deleted_reason: Mapped[str | None]


class CandidateArtifactRow(Base):
    """Which evaluation of which candidate produced an artifact, as what, and for which device class."""

    __tablename__ = "candidate_artifacts"
    __table_args__ = (UniqueConstraint("evaluation_id", "kind"),)

    id: Mapped[int] = _id()
    candidate_id: Mapped[int] = _of("candidates.id", index=True)
    evaluation_id: Mapped[int] = _of("evaluations.id")
    sha256: Mapped[str] = mapped_column(ForeignKey("artifacts.sha256"), index=True)
    kind: Mapped[str]
    device: Mapped[str | None]
    created_at: Mapped[datetime] = _now()


class PhoneRow(Base):
    """A handset, by its own serial number; `address` is where its agent last found it.

    conditions: what it last said of its heat, battery and space.
    """

    __tablename__ = "phones"
    __table_args__ = (_one_of("state", PhoneState),)

    id: Mapped[int] = _id()
    serial: Mapped[str] = mapped_column(unique=True)
    device: Mapped[str]
    address: Mapped[str]
    manufacturer: Mapped[str]
    model: Mapped[str]
    soc: Mapped[str]
    os_version: Mapped[str]
    build_fingerprint: Mapped[str]
    simulated: Mapped[bool]
    properties: Mapped[Json] = _json()
    agent: Mapped[str]
    state: Mapped[PhoneState]
    state_reason: Mapped[str | None]
    state_since: Mapped[datetime | None]
    conditions: Mapped[Json] = _json()
    quarantined_at: Mapped[datetime | None]
    """Since when it is measured on no more, until an operator releases it; outlives agents."""
    created_at: Mapped[datetime] = _now()
    last_seen_at: Mapped[datetime] = _now()


class ReferenceCheckRow(Base):
    """A phone ran the reference network to show that it is as it always was. latency_ms: None where it could not."""

    __tablename__ = "reference_checks"
    __table_args__ = (Index("reference_checks_phone_id_at_idx", "phone_id", "at"),)

    id: Mapped[int] = _id()
    phone_id: Mapped[int] = mapped_column(ForeignKey("phones.id"))
    at: Mapped[datetime] = _now()
    reference_sha256: Mapped[str]
    protocol_key: Mapped[str]
    latency_ms: Mapped[float | None]
    baseline_ms: Mapped[float | None]
    output_sha256: Mapped[str | None]
    passed: Mapped[bool]
    reason: Mapped[str | None]
    conditions: Mapped[Json] = _json()
    simulated: Mapped[bool]


class PhoneWorkRow(Base):
    """What a phone spent its time on: a measurement, a score, a reference check, a recovery; and how that ended."""

    __tablename__ = "phone_work"
    __table_args__ = (Index("phone_work_phone_id_started_at_idx", "phone_id", "started_at"),)

    id: Mapped[int] = _id()
    phone_id: Mapped[int] = mapped_column(ForeignKey("phones.id"))
    kind: Mapped[str]
    evaluation_id: Mapped[int | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    outcome: Mapped[str]


class DeviceBaselineRow(Base):
    """How fast the first phone of a device class ran a reference network, in milliseconds; never changed.

    Latencies of all phones of the class are brought to this pace, so that they can be compared.
    """

    __tablename__ = "device_baselines"

    device: Mapped[str] = mapped_column(primary_key=True)
    reference_sha256: Mapped[str] = mapped_column(primary_key=True)
    protocol: Mapped[str] = mapped_column(primary_key=True)
    baseline_ms: Mapped[float]
    created_at: Mapped[datetime] = _now()


class WorkerRow(Base):
    """A process that does work (or plans it), by the name it owns leases under."""

    __tablename__ = "workers"

    id: Mapped[int] = _id()
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    host: Mapped[str]
    pid: Mapped[int]
    queues: Mapped[list[str]]
    code_version: Mapped[str]
    details: Mapped[Json] = _json()
    started_at: Mapped[datetime] = _now()
    heartbeat_at: Mapped[datetime] = _now()


class EventRow(Base):
    """What happened, append-only (a trigger refuses changes). No foreign keys: it outlives what it is about."""

    __tablename__ = "events"
    __table_args__ = (
        Index("events_experiment_idx", "experiment_id", "id"),
        Index("events_candidate_idx", "candidate_id", "id", postgresql_where=text("evaluation_id IS NOT NULL")),
    )

    id: Mapped[int] = _id()
    at: Mapped[datetime] = _now()
    kind: Mapped[str]
    experiment_id: Mapped[int | None]
    candidate_id: Mapped[int | None]
    evaluation_id: Mapped[int | None]
    phone_id: Mapped[int | None]
    details: Mapped[Json] = _json()


class PointRow(Base):
    """A candidate that has ended, as one row of plain numbers per device class (`''` where its search names none).

    Kept by a trigger of the database from `candidates`, which stays the truth: what fronts, pages and plots of a
    million candidates are read from. Times in ms, sizes in bytes; a metric that a candidate lacks is null.
    """

    __tablename__ = "points"
    __table_args__ = (
        Index(
            "points_latency_idx",
            *("experiment_id", "device", "latency_ms", "number"),
            postgresql_include=["candidate_id", "status", "miou", "simulated", "noisy"],
        ),
        Index(
            "points_miou_idx",
            *("experiment_id", "device", "miou", "number"),
            postgresql_include=["candidate_id", "status", "latency_ms", "simulated", "noisy"],
        ),
        Index("points_simulated_idx", "experiment_id", "device", postgresql_where=text("simulated")),
    )

    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True)
    device: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    candidate_id: Mapped[int]
    status: Mapped[CandidateStatus]
    generation: Mapped[int]
    """0 for a candidate without parents, else one more than the latest generation among them."""
    train_s: Mapped[float]
    """Seconds of training, over all rungs."""
    parameters: Mapped[float | None]
    macs: Mapped[float | None]
    network_bytes: Mapped[float | None]
    latency_ms: Mapped[float | None]
    latency_low_ms: Mapped[float | None]
    latency_high_ms: Mapped[float | None]
    latency_p90_ms: Mapped[float | None]
    miou: Mapped[float | None]
    f1: Mapped[float | None]
    pixel_accuracy: Mapped[float | None]
    loss: Mapped[float | None]
    device_miou: Mapped[float | None]
    device_f1: Mapped[float | None]
    device_pixel_accuracy: Mapped[float | None]
    simulated: Mapped[bool]
    noisy: Mapped[bool]
    finished_at: Mapped[datetime | None]


class ApiTokenRow(Base):
    """A bearer token of the HTTP API. Of its secret half only the SHA-256 is kept: nobody can read it back."""

    __tablename__ = "api_tokens"
    __table_args__ = (_one_of("scope", Scope), CheckConstraint("length(secret_sha256) = 64", name="sha256_hex"))

    id: Mapped[int] = _id()
    key: Mapped[str] = mapped_column(unique=True)
    """The half of the token that is no secret."""
    name: Mapped[str]
    scope: Mapped[Scope]
    secret_sha256: Mapped[str]
    created_at: Mapped[datetime] = _now()
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class LoginSessionRow(Base):
    """Somebody who logged in with a token, by browser. May do what the token may, and ends with it."""

    __tablename__ = "login_sessions"
    __table_args__ = (CheckConstraint("length(secret_sha256) = 64", name="sha256_hex"),)

    id: Mapped[int] = _id()
    secret_sha256: Mapped[str] = mapped_column(unique=True)
    token_id: Mapped[int] = _of("api_tokens.id", index=True)
    created_at: Mapped[datetime] = _now()
    expires_at: Mapped[datetime]
