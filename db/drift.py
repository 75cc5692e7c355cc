"""What a phone's checks with the reference network said, over weeks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import NOW, PhoneRow, ReferenceCheckRow
from paretofarm.errors import NotFound

DAYS = 366
MOST = 20_000


@dataclass(frozen=True)
class DriftPoint:
    """latency_ms: None where the phone could not run it. baseline_ms: what was usual then. protocol_key: only points of
    the same one can be compared."""

    at: datetime
    latency_ms: float | None
    baseline_ms: float | None
    passed: bool
    reason: str | None
    simulated: bool
    protocol_key: str

    def to_json(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat(),
            "latency_ms": self.latency_ms,
            "baseline_ms": self.baseline_ms,
            "passed": self.passed,
            "reason": self.reason,
            "simulated": self.simulated,
            "protocol_key": self.protocol_key,
        }


def drift(session: Session, serial: str, days: int) -> list[DriftPoint]:
    """The latest days' checks, oldest first. NotFound for no such phone."""
    found = None if "\0" in serial else session.scalar(select(PhoneRow.id).where(PhoneRow.serial == serial))
    if found is None:
        raise NotFound(f"there is no phone with the serial number {serial!r}: `paretofarm phones` lists them")
    query = select(ReferenceCheckRow).where(
        ReferenceCheckRow.phone_id == found, ReferenceCheckRow.at > NOW - timedelta(days=days)
    )
    rows = session.scalars(query.order_by(ReferenceCheckRow.at.desc()).limit(MOST)).all()
    return [
        DriftPoint(row.at, row.latency_ms, row.baseline_ms, row.passed, row.reason, row.simulated, row.protocol_key)
        for row in reversed(rows)
    ]
