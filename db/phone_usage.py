"""How busy phones were, day by day."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from db import phone_work
from db.phones import Phone, list_phones
from paretofarm.busy_share import DayOfWork, days_of_work


@dataclass(frozen=True)
class PhoneUsage:
    """One phone's last days, the oldest first."""

    phone: Phone
    days: tuple[DayOfWork, ...]


def read_usage(session: Session, days: int) -> list[PhoneUsage]:
    """Of all phones ever registered, by id."""
    now = phone_work.now(session)
    found = []
    for phone in list_phones(session):
        work = phone_work.work_since(session, phone.id, now - timedelta(days=days))
        found.append(PhoneUsage(phone, tuple(days_of_work(work, since=phone.created_at, now=now, days=days))))
    return found


def usage_document(usage: PhoneUsage) -> dict[str, Any]:
    """The JSON of `phones --usage --json`."""
    facts = usage.phone.facts
    days = [
        {
            "day": day.day.isoformat(),
            "busy_share": round(day.share, 4),
            "busy_s": round(day.busy_s, 1),
            "of_s": round(day.of_s, 1),
            "by_kind_s": {kind: round(seconds, 1) for kind, seconds in day.by_kind.items()},
        }
        for day in usage.days
    ]
    return {"serial": facts.serial, "device": facts.device, "simulated": facts.simulated, "days": days}
