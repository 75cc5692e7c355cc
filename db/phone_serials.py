"""Under which serial number a phone is kept: phones of one batch may all give the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from db.tables import NOW, PhoneRow, WorkerRow
from paretofarm.errors import Unavailable

ALIVE_S = 45
"""Three missed signs of life end an agent, as far as others are concerned."""
MARK_LETTERS = 8
SEPARATOR = "~"


@dataclass(frozen=True)
class KnownPhone:
    """mark: what its agent left on the phone; busy: an agent other than the one that asks looks after it now."""

    serial: str
    mark: str | None
    address: str
    agent: str
    busy: bool


def serial_for(session: Session, serial: str, mark: str | None, *, address: str, agent: str) -> str:
    """The serial number to register a phone with. Errors: those of `choose`."""
    if not mark:
        return serial
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"phone {serial}"))))
    return choose(_known(session, serial, agent), serial, mark, address)


def choose(known: Sequence[KnownPhone], serial: str, mark: str, address: str) -> str:
    """The serial number itself, or with the mark's beginning where another phone has it and is in use.

    A phone whose mark was deleted is known again, unless another is in use under its number. Unavailable where this
    very phone is in use over another address: two agents on one phone would disturb each other.
    """
    for phone in known:
        if phone.mark == mark:
            if phone.busy and phone.address != address:
                raise Unavailable(f"{phone.serial} is in use by {phone.agent} at {phone.address}")
            return phone.serial
    taken = any(phone.serial == serial and phone.mark and phone.busy for phone in known)
    return f"{serial}{SEPARATOR}{mark[:MARK_LETTERS]}" if taken else serial


def _known(session: Session, serial: str, agent: str) -> list[KnownPhone]:
    alive = and_(
        WorkerRow.heartbeat_at > NOW - func.make_interval(0, 0, 0, 0, 0, 0, ALIVE_S),
        WorkerRow.details["stopped"].is_(None),
        WorkerRow.name != agent,
    )
    query = (
        select(PhoneRow, WorkerRow.id)
        .outerjoin(WorkerRow, and_(WorkerRow.name == PhoneRow.agent, alive))
        .where(or_(PhoneRow.serial == serial, PhoneRow.serial.startswith(f"{serial}{SEPARATOR}", autoescape=True)))
        .order_by(PhoneRow.id)
    )
    return [
        KnownPhone(row.serial, row.properties.get("mark"), row.address, row.agent, busy=worker is not None)
        for row, worker in session.execute(query).tuples()
    ]
