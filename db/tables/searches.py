"""Searches, their candidates, and these once more as plain numbers."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base, Json, json_object, one_of, row_id, row_of, written_now
from db.tables.experiment_status import ExperimentStatus
from paretofarm.lifecycle import CandidateStatus


class ExperimentRow(Base):
    """A search. `source` is the user's file verbatim, `config` the same as the validated model."""

    __tablename__ = "experiments"
    __table_args__ = (
        one_of("status", ExperimentStatus),
        Index("experiments_unfinished_idx", "id", postgresql_where=text("status <> 'finished'")),
    )

    id: Mapped[int] = row_id()
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
    control_of: Mapped[int | None] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), unique=True)
    """The search that this random one runs beside, at equal cost, for comparison."""
    final_of: Mapped[int | None] = mapped_column(ForeignKey("experiments.id", ondelete="SET NULL"), index=True)
    """The search whose best networks this one trains to the end."""
    created_at: Mapped[datetime] = written_now()
    finished_at: Mapped[datetime | None]


class CandidateRow(Base):
    """One architecture of a search, and all that is known about it.

    metrics, intervals: by metric key, `name` or `name@device`. parents: numbers of candidates of the same search.
    simulated: some metric comes from a simulated phone.
    """

    __tablename__ = "candidates"
    __table_args__ = (
        one_of("status", CandidateStatus),
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
        Index("candidates_contested_idx", "experiment_id", "number", postgresql_where=text("contested_at IS NOT NULL")),
        Index("candidates_finished_idx", "experiment_id", "finished_at", postgresql_where=text("status = 'complete'")),
    )

    id: Mapped[int] = row_id()
    experiment_id: Mapped[int] = row_of("experiments.id")
    number: Mapped[int]
    digest: Mapped[str]
    architecture: Mapped[Json]
    origin: Mapped[str]
    parents: Mapped[list[int]]
    status: Mapped[CandidateStatus] = mapped_column(server_default="proposed")
    reason: Mapped[str | None]
    metrics: Mapped[Json] = json_object()
    intervals: Mapped[Json] = json_object()
    simulated: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = written_now()
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    exported_at: Mapped[datetime | None]
    """When somebody last took the candidate's networks away to use them: its artifacts are then kept for ever."""
    pinned_at: Mapped[datetime | None]
    """Since when somebody wants it kept and shown first."""
    rung: Mapped[int | None]
    """The highest that it was trained to the end of, from 0: what its trained metrics are of."""
    contested_at: Mapped[datetime | None]
    """Since when a complete one is being measured again; what was known of it stands meanwhile."""


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
        Index("points_number_idx", "experiment_id", "number"),
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
