"""Phones as their agents know them, and the pace at which their device classes ran the reference networks."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import case, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db import events
from db.events import EventKind
from db.phone_serials import serial_for
from db.tables import NOW, DeviceBaselineRow, PhoneRow
from paretofarm.errors import NotFound
from paretofarm.phone_health import PhoneState

__all__ = [
    "Phone",
    "PhoneFacts",
    "PhoneState",
    "baseline",
    "list_phones",
    "quarantine",
    "quarantine_reason",
    "register",
    "release",
    "set_state",
    "store_baseline",
]


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
    """A phone with what its agent last said of it. agent: that agent's name as an owner of leases.

    conditions: heat, battery and space when they were last asked for; created_at: when it was first registered.
    """

    id: int
    facts: PhoneFacts
    agent: str
    state: PhoneState
    state_reason: str | None
    state_since: datetime | None
    quarantined_at: datetime | None
    conditions: Mapping[str, Any]
    created_at: datetime
    last_seen_at: datetime


def register(session: Session, facts: PhoneFacts, *, agent: str) -> int:
    """Makes a phone known, or known again with new facts; it is ready, unless it is in quarantine. Returns its id.

    Of two phones with one serial number, the second is kept under a longer one (`db.phone_serials`, which also tells
    when `Unavailable` is raised).
    """
    mark = facts.properties.get("mark")
    serial = serial_for(session, facts.serial, mark, address=facts.address, agent=agent)
    values = {
        **asdict(facts),
        "serial": serial,
        "properties": dict(facts.properties),
        "agent": agent,
        "last_seen_at": NOW,
    }
    ready = {"state": PhoneState.READY, "state_reason": None, "state_since": NOW}
    kept = {
        name: case((PhoneRow.quarantined_at.is_(None), value), else_=getattr(PhoneRow, name))
        for name, value in ready.items()
    }
    statement = insert(PhoneRow).values({**values, **ready})
    statement = statement.on_conflict_do_update(index_elements=["serial"], set_={**values, **kept})
    phone_id = session.scalars(statement.returning(PhoneRow.id)).one()
    events.record(session, EventKind.PHONE_REGISTERED, phone_id=phone_id, details={"agent": agent})
    return phone_id


def set_state(
    session: Session,
    phone_id: int,
    state: PhoneState,
    reason: str | None = None,
    conditions: Mapping[str, Any] | None = None,
) -> None:
    """A sign of life; an event only where state or reason are new. NotFound for a phone never registered.

    conditions: as JSON, where they are known.
    """
    query = select(PhoneRow.state, PhoneRow.state_reason).where(PhoneRow.id == phone_id).with_for_update()
    before = session.execute(query).tuples().one_or_none()
    if before is None:
        raise NotFound(f"there is no phone {phone_id}")
    values: dict[str, Any] = {"state": state, "state_reason": reason, "last_seen_at": NOW}
    if conditions is not None:
        values["conditions"] = dict(conditions)
    if before[0] != state:
        values["state_since"] = NOW
    session.execute(update(PhoneRow).where(PhoneRow.id == phone_id).values(values))
    if before != (state, reason):
        details = {"state": state.value, "reason": reason}
        events.record(session, EventKind.PHONE_CHANGED, phone_id=phone_id, details=details)


def quarantine(session: Session, phone_id: int, reason: str) -> None:
    """Takes a phone out of service until somebody releases it; agents that come and go do not change that."""
    values = {"state": PhoneState.QUARANTINED, "state_reason": reason, "state_since": NOW, "quarantined_at": NOW}
    fresh = update(PhoneRow).where(PhoneRow.id == phone_id, PhoneRow.quarantined_at.is_(None))
    if session.scalar(fresh.values(values).returning(PhoneRow.id)) is not None:
        events.record(session, EventKind.PHONE_QUARANTINED, phone_id=phone_id, details={"reason": reason})


def quarantine_reason(session: Session, phone_id: int) -> str | None:
    """Why a phone is in quarantine; None where it is not."""
    query = select(PhoneRow.state_reason, PhoneRow.quarantined_at).where(PhoneRow.id == phone_id)
    row = session.execute(query).one_or_none()
    return None if row is None or row.quarantined_at is None else row.state_reason or "by an operator"


def release(session: Session, serial: str) -> bool:
    """Ends a phone's quarantine; its agent makes it prove itself. False: it was in none. NotFound for no such phone."""
    row = session.scalar(select(PhoneRow).where(PhoneRow.serial == serial).with_for_update())
    if row is None:
        raise no_such_phone(serial)
    if row.quarantined_at is None:
        return False
    values = {"quarantined_at": None, "state": PhoneState.SUSPECT, "state_reason": "released", "state_since": NOW}
    session.execute(update(PhoneRow).where(PhoneRow.id == row.id).values(values))
    events.record(session, EventKind.PHONE_RELEASED, phone_id=row.id)
    return True


def no_such_phone(serial: str) -> NotFound:
    return NotFound(f"there is no phone with the serial number {serial!r}: `paretofarm phones` lists them")


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
        state_since=row.state_since,
        quarantined_at=row.quarantined_at,
        conditions=row.conditions,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
    )
