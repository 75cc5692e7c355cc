"""What is done with a candidate, and what that brought."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base, Json, json_object, one_of, row_id, row_of, written_now
from paretofarm.lifecycle import EvaluationStatus, Stage


class EvaluationRow(Base):
    """One stage of one candidate, for a device class or a rung: what Celery messages are about.

    attempt: rises whenever the evaluation is queued again, so that messages about an earlier one are stale.
    failures: how many attempts ended in an error; what the retry limit counts. token, owner, lease_expires_at: the
    lease, set together. dispatched_at: when a message about this attempt was last sent.
    """

    __tablename__ = "evaluations"
    __table_args__ = (
        one_of("status", EvaluationStatus),
        one_of("stage", Stage),
        UniqueConstraint("candidate_id", "stage", "device", "rung", postgresql_nulls_not_distinct=True),
        CheckConstraint(
            "(status = 'leased') = (token IS NOT NULL AND lease_expires_at IS NOT NULL)", name="lease_has_token"
        ),
        Index("evaluations_queued_idx", "queue", "id", postgresql_where=text("status = 'queued'")),
        Index("evaluations_leased_idx", "lease_expires_at", postgresql_where=text("status = 'leased'")),
        Index("evaluations_failed_idx", "candidate_id", "code", postgresql_where=text("status = 'failed'")),
    )

    id: Mapped[int] = row_id()
    candidate_id: Mapped[int] = row_of("candidates.id")
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
    not_before: Mapped[datetime] = written_now()
    dispatched_at: Mapped[datetime | None]
    code: Mapped[str | None]
    reason: Mapped[str | None]
    details: Mapped[Json] = json_object()
    created_at: Mapped[datetime] = written_now()
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    spent_s: Mapped[float] = mapped_column(server_default=text("0"))
    """Wall seconds under a lease, all attempts together; a trigger of the database adds them up as leases end."""


class MeasurementRow(Base):
    """What a phone measured: all raw samples by block (milliseconds), the summary, and the conditions around it.

    details: what else was seen (nested times, memory, energy). reused_from: the measurement that this one repeats,
    word by word, since the same network had been measured under the same protocol on the same device class.
    """

    __tablename__ = "measurements"
    __table_args__ = (Index("measurements_network_idx", "network_sha256", "device", "protocol_key"),)

    id: Mapped[int] = row_id()
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
    details: Mapped[Json] = json_object()
    reused_from: Mapped[int | None]
    simulated: Mapped[bool]
    created_at: Mapped[datetime] = written_now()


class EarlierMeasurementRow(Base):
    """A measurement that was followed by another of the same evaluation, to be surer; all of them count.

    measurement: the row of `measurements` as it was, samples included.
    """

    __tablename__ = "earlier_measurements"

    id: Mapped[int] = row_id()
    evaluation_id: Mapped[int] = row_of("evaluations.id", index=True)
    measurement: Mapped[Json]
    replaced_at: Mapped[datetime] = written_now()


class TrainingMetricsRow(Base):
    """One epoch of a training; epochs count from 1 over all rungs of the candidate."""

    __tablename__ = "training_metrics"

    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluations.id", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    train_loss: Mapped[float]
    metrics: Mapped[Json] = json_object()
    duration_s: Mapped[float]
    created_at: Mapped[datetime] = written_now()
