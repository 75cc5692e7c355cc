"""How much of each day a phone was at work. Pure: intervals in, shares out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True)
class Interval:
    """Work of one kind; times in UTC."""

    kind: str
    begin: datetime
    end: datetime


@dataclass(frozen=True)
class DayOfWork:
    """busy_s: in all, what overlaps counted once; of_s: of how many seconds; by_kind: seconds of each kind."""

    day: date
    busy_s: float
    of_s: float
    by_kind: dict[str, float] = field(default_factory=dict)

    @property
    def share(self) -> float:
        return self.busy_s / self.of_s if self.of_s > 0 else 0.0


def days_of_work(work: Sequence[Interval], *, since: datetime, now: datetime, days: int) -> list[DayOfWork]:
    """The last `days` days in UTC, today last and only as far as it has gone. since: when the phone was first seen."""
    today = now.astimezone(UTC).date()
    return [_day(work, today - timedelta(days=back), since, now) for back in reversed(range(days))]


def _day(work: Sequence[Interval], day: date, since: datetime, now: datetime) -> DayOfWork:
    midnight = datetime.combine(day, time(), UTC)
    begin, end = max(midnight, since), min(midnight + timedelta(days=1), now)
    if begin >= end:
        return DayOfWork(day, 0.0, 0.0)
    within = [
        Interval(each.kind, max(each.begin, begin), min(each.end, end))
        for each in work
        if each.begin < end and each.end > begin
    ]
    kinds = sorted({each.kind for each in within})
    by_kind = {kind: _covered_s(each for each in within if each.kind == kind) for kind in kinds}
    return DayOfWork(day, _covered_s(within), (end - begin).total_seconds(), by_kind)


def _covered_s(intervals: Iterable[Interval]) -> float:
    """Seconds that at least one of them covers: a reference check within a measurement is no second phone."""
    total, reached = 0.0, None
    for each in sorted(intervals, key=lambda interval: interval.begin):
        begin = each.begin if reached is None else max(each.begin, reached)
        if each.end > begin:
            total += (each.end - begin).total_seconds()
        reached = each.end if reached is None else max(reached, each.end)
    return total
