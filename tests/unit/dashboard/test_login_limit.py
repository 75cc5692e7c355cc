"""Logins are limited per address and in all."""

import pytest

from dashboard.auth.login_limit import LoginLimit
from dashboard.auth.refusal import TooManyAttempts


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def test_an_address_that_failed_often_has_to_wait_a_minute() -> None:
    clock = Clock()
    limit = LoginLimit(per_address=3, in_all=100, now=clock)
    for _ in range(3):
        limit.check("a")
        limit.failed("a")
        clock.time += 10
    with pytest.raises(TooManyAttempts) as refused:
        limit.check("a")
    assert refused.value.wait_s == 30
    limit.check("b")
    clock.time += 31
    limit.check("a")


def test_many_addresses_together_have_to_wait_too() -> None:
    clock = Clock()
    limit = LoginLimit(per_address=3, in_all=10, now=clock)
    for number in range(10):
        limit.failed(str(number))
    with pytest.raises(TooManyAttempts):
        limit.check("somebody else")
    clock.time += 61
    limit.check("somebody else")
