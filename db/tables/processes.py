"""Who works, and what happened."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base, Json, json_object, row_id, written_now


class WorkerRow(Base):
    """A process that does work (or plans it), by the name it owns leases under."""

    __tablename__ = "workers"

    id: Mapped[int] = row_id()
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    host: Mapped[str]
    pid: Mapped[int]
    queues: Mapped[list[str]]
    code_version: Mapped[str]
    details: Mapped[Json] = json_object()
    started_at: Mapped[datetime] = written_now()
    heartbeat_at: Mapped[datetime] = written_now()


class EventRow(Base):
    """What happened, append-only (a trigger refuses changes). No foreign keys: it outlives what it is about."""

    __tablename__ = "events"
    __table_args__ = (
        Index("events_experiment_idx", "experiment_id", "id"),
        Index("events_candidate_idx", "candidate_id", "id", postgresql_where=text("evaluation_id IS NOT NULL")),
        Index("events_remarks_idx", "experiment_id", "id", postgresql_where=text("kind = 'algorithm_remarked'")),
    )

    id: Mapped[int] = row_id()
    at: Mapped[datetime] = written_now()
    kind: Mapped[str]
    experiment_id: Mapped[int | None]
    candidate_id: Mapped[int | None]
    evaluation_id: Mapped[int | None]
    phone_id: Mapped[int | None]
    details: Mapped[Json] = json_object()
