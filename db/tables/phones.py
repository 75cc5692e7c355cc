"""Handsets: their state, their pace, and what they spent their time on."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base, Json, json_object, one_of, row_id, written_now
from paretofarm.phone_health import PhoneState


class PhoneRow(Base):
    """A handset, by its own serial number; `address` is where its agent last found it.

    conditions: what it last said of its heat, battery and space.
    """

    __tablename__ = "phones"
    __table_args__ = (one_of("state", PhoneState),)

    id: Mapped[int] = row_id()
    serial: Mapped[str] = mapped_column(unique=True)
    device: Mapped[str]
    address: Mapped[str]
    manufacturer: Mapped[str]
    model: Mapped[str]
    soc: Mapped[str]
    os_version: Mapped[str]
    build_fingerprint: Mapped[str]
    simulated: Mapped[bool]
    properties: Mapped[Json] = json_object()
    agent: Mapped[str]
    state: Mapped[PhoneState]
    state_reason: Mapped[str | None]
    state_since: Mapped[datetime | None]
    conditions: Mapped[Json] = json_object()
    quarantined_at: Mapped[datetime | None]
    """Since when it is measured on no more, until an operator releases it; outlives agents."""
    created_at: Mapped[datetime] = written_now()
    last_seen_at: Mapped[datetime] = written_now()


class ReferenceCheckRow(Base):
    """A phone ran the reference network to show that it is as it always was. latency_ms: None where it could not."""

    __tablename__ = "reference_checks"
    __table_args__ = (Index("reference_checks_phone_id_at_idx", "phone_id", "at"),)

    id: Mapped[int] = row_id()
    phone_id: Mapped[int] = mapped_column(ForeignKey("phones.id"))
    at: Mapped[datetime] = written_now()
    reference_sha256: Mapped[str]
    protocol_key: Mapped[str]
    latency_ms: Mapped[float | None]
    baseline_ms: Mapped[float | None]
    output_sha256: Mapped[str | None]
    passed: Mapped[bool]
    reason: Mapped[str | None]
    conditions: Mapped[Json] = json_object()
    simulated: Mapped[bool]


class PhoneWorkRow(Base):
    """What a phone spent its time on: a measurement, a score, a reference check, a recovery; and how that ended."""

    __tablename__ = "phone_work"
    __table_args__ = (Index("phone_work_phone_id_started_at_idx", "phone_id", "started_at"),)

    id: Mapped[int] = row_id()
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
    created_at: Mapped[datetime] = written_now()
