"""What phones spend their time on: written by agents when something has ended, read for the usage report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Double, cast, func, insert, select
from sqlalchemy.orm import Session

from db.tables import NOW, PhoneWorkRow
from paretofarm.busy_share import Interval
from paretofarm.phone_health import PastStep, Recovery

BOOTED = "booted"
"""Outcome of a recovery's waiting for the phone to come back; those of its steps are the steps' names."""


class WorkKind(StrEnum):
    """What a phone can be busy with."""

    MEASUREMENT = "measurement"
    SCORE = "score"
    CHECK = "check"
    RECOVERY = "recovery"


@dataclass(frozen=True)
class EndedWork:
    """duration_s: how long it took; ended_ago_s: how long ago it ended, by the agent's clock."""

    kind: WorkKind
    outcome: str
    duration_s: float
    ended_ago_s: float = 0.0
    evaluation_id: int | None = None


def store(session: Session, phone_id: int, ended: Sequence[EndedWork]) -> None:
    """Times are the database's: an agent's clock may be wrong, its stop-watch is not."""
    for work in ended:
        end = NOW - timedelta(seconds=work.ended_ago_s)
        row = {
            "phone_id": phone_id,
            "kind": work.kind.value,
            "evaluation_id": work.evaluation_id,
            "started_at": end - timedelta(seconds=work.duration_s),
            "ended_at": end,
            "outcome": work.outcome,
        }
        session.execute(insert(PhoneWorkRow).values(row))


def past_steps(session: Session, phone_id: int, *, within_s: float) -> list[PastStep]:
    """Steps of recovery that any agent took on this phone, oldest first."""
    age_s = cast(func.extract("epoch", NOW - PhoneWorkRow.ended_at), Double)
    query = (
        select(PhoneWorkRow.outcome, age_s)
        .where(
            PhoneWorkRow.phone_id == phone_id,
            PhoneWorkRow.started_at > NOW - timedelta(seconds=within_s),
            PhoneWorkRow.kind == WorkKind.RECOVERY,
            PhoneWorkRow.outcome.in_([step.value for step in Recovery]),
        )
        .order_by(PhoneWorkRow.started_at, PhoneWorkRow.id)
    )
    return [PastStep(Recovery(outcome), age) for outcome, age in session.execute(query).tuples()]


@dataclass(frozen=True)
class Usage:
    """One phone's work of late. now: the database's clock."""

    serial: str
    device: str
    simulated: bool
    since: datetime
    work: tuple[Interval, ...]


def now(session: Session) -> datetime:
    """The database's clock."""
    at = session.scalar(select(NOW))
    assert at is not None
    return at


def work_since(session: Session, phone_id: int, since: datetime) -> tuple[Interval, ...]:
    """Everything that a phone did that ended after `since`, oldest first. Nothing lasts longer than a week."""
    query = (
        select(PhoneWorkRow.kind, PhoneWorkRow.started_at, PhoneWorkRow.ended_at)
        .where(
            PhoneWorkRow.phone_id == phone_id,
            PhoneWorkRow.started_at > since - timedelta(days=7),
            PhoneWorkRow.ended_at > since,
        )
        .order_by(PhoneWorkRow.started_at)
    )
    return tuple(Interval(*row) for row in session.execute(query).tuples())
