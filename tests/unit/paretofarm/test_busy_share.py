"""How busy a phone was, day by day."""

from datetime import UTC, datetime, timedelta

import pytest

from paretofarm.busy_share import DayOfWork, Interval, days_of_work

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def work(kind: str, begin: datetime, hours: float) -> Interval:
    return Interval(kind, begin, begin + timedelta(hours=hours))


def days(*intervals: Interval, since: datetime = LONG_AGO, days: int = 2) -> list[DayOfWork]:
    return days_of_work(intervals, since=since, now=NOON, days=days)


def test_today_counts_as_far_as_it_has_gone() -> None:
    [yesterday, today] = days(work("measurement", NOON - timedelta(hours=3), 3))
    assert (yesterday.share, yesterday.of_s) == (0.0, 86400.0)
    assert today.share == pytest.approx(0.25)


def test_work_over_midnight_is_shared_between_the_days() -> None:
    [yesterday, today] = days(work("measurement", datetime(2026, 11, 21, 21, tzinfo=UTC), 6))
    assert yesterday.share == pytest.approx(3 / 24)
    assert today.share == pytest.approx(3 / 12)


def test_a_check_within_a_measurement_counts_once() -> None:
    [_, today] = days(work("measurement", NOON - timedelta(hours=4), 4), work("check", NOON - timedelta(hours=2), 1))
    assert today.busy_s == 4 * 3600
    assert today.by_kind == {"check": 3600.0, "measurement": 4 * 3600.0}


def test_a_phone_counts_from_its_first_day_on() -> None:
    [before, today] = days(work("check", NOON - timedelta(hours=1), 1), since=NOON - timedelta(hours=2))
    assert (before.of_s, before.share) == (0.0, 0.0)
    assert today.share == pytest.approx(0.5)


def test_work_that_has_not_ended_by_now_is_cut() -> None:
    [_, today] = days(work("measurement", NOON - timedelta(hours=1), 10))
    assert today.busy_s == 3600.0
