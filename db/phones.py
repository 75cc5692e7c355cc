"""Phones as their agents know them, and the pace at which their device classes ran the reference networks."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db import events
from db.events import EventKind
from db.tables import NOW, DeviceBaselineRow, PhoneRow, PhoneState
from paretofarm.errors import NotFound

__all__ = ["Phone", "PhoneFacts", "PhoneState", "baseline", "list_phones", "register", "set_state", "store_baseline"]


@dataclass(frozen=True)
class PhoneFacts:
    """What stays while a phone is on. serial: its own; address: where the link finds it; device: its class."""

    serial: str
    device: str
    address: str
    simulated: bool
    manufacturer: str = ""
    model: str = ""
    soc: str = ""
    os_version: str = ""
    build_fingerprint: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Phone:
    """A phone with what its agent last said of it. agent: that agent's name as an owner of leases."""

    id: int
    facts: PhoneFacts
    agent: str
    state: PhoneState
    state_reason: str | None
    last_seen_at: datetime


def register(session: Session, facts: PhoneFacts, *, agent: str) -> int:
    """Makes a phone known, or known again with new facts; it is ready. Returns its id."""
    values = {**asdict(facts), "properties": dict(facts.properties)}
    values |= {"agent": agent, "state": PhoneState.READY, "state_reason": None, "last_seen_at": NOW}
    statement = insert(PhoneRow).values(values).on_conflict_do_update(index_elements=["serial"], set_=values)
    phone_id = session.scalars(statement.returning(PhoneRow.id)).one()
    events.record(session, EventKind.PHONE_REGISTERED, phone_id=phone_id, details={"agent": agent})
    return phone_id


def set_state(session: Session, phone_id: int, state: PhoneState, reason: str | None = None) -> None:
    """A sign of life; an event only where state or reason are new. NotFound for a phone never registered."""
    query = select(PhoneRow.state, PhoneRow.state_reason).where(PhoneRow.id == phone_id).with_for_update()
    before = session.execute(query).tuples().one_or_none()
    if before is None:
        raise NotFound(f"there is no phone {phone_id}")
    values = {"state": state, "state_reason": reason, "last_seen_at": NOW}
    session.execute(update(PhoneRow).where(PhoneRow.id == phone_id).values(values))
    if before != (state, reason):
        details = {"state": state.value, "reason": reason}
        events.record(session, EventKind.PHONE_CHANGED, phone_id=phone_id, details=details)


def list_phones(session: Session) -> list[Phone]:
    """All phones ever registered, by id."""
    return [_phone(row) for row in session.scalars(select(PhoneRow).order_by(PhoneRow.id))]


def baseline(session: Session, device: str, reference_sha256: str, protocol: str) -> float | None:
    """The reference network's latency in ms on a device class, under this protocol; None before the first measurement.

    protocol: whatever must be equal for times to be comparable (runtime, threads, protocol version …) as one text.
    """
    return session.scalar(
        select(DeviceBaselineRow.baseline_ms).where(
            DeviceBaselineRow.device == device,
            DeviceBaselineRow.reference_sha256 == reference_sha256,
            DeviceBaselineRow.protocol == protocol,
        )
    )


def store_baseline(session: Session, device: str, reference_sha256: str, protocol: str, baseline_ms: float) -> float:
    """Stores it unless somebody was faster; returns the one that counts."""
    row = {"device": device, "reference_sha256": reference_sha256, "protocol": protocol}
    session.execute(insert(DeviceBaselineRow).values(**row, baseline_ms=baseline_ms).on_conflict_do_nothing())
    stored = baseline(session, device, reference_sha256, protocol)
    assert stored is not None
    return stored


def _phone(row: PhoneRow) -> Phone:
    names = PhoneFacts.__dataclass_fields__
    return Phone(
        id=row.id,
        facts=PhoneFacts(**{name: getattr(row, name) for name in names}),
        agent=row.agent,
        state=row.state,
        state_reason=row.state_reason,
        last_seen_at=row.last_seen_at,
    )
