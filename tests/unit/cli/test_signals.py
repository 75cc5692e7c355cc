"""A command ends at Ctrl-C, at whatever moment it comes."""

import os
import signal
import sys
from collections.abc import Callable

import pytest

from cli import signals
from cli.signals import end_if_asked, interruptible, wait_for_interrupt


class Finalized:
    """Calls something as it goes: what that raises is nobody's."""

    def __init__(self, last: Callable[[], object]) -> None:
        self._last = last

    def __del__(self) -> None:
        self._last()


def interrupt(number: signal.Signals = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> list[type[BaseException] | None]:
    """What got lost, of which Python only speaks."""
    found: list[type[BaseException] | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: found.append(told.exc_type))
    return found


@pytest.mark.parametrize("number", signals.ENDING)
def test_an_interrupt_that_comes_in_a_finalizer_ends_the_next_wait(
    number: signal.Signals, lost: list[type[BaseException] | None]
) -> None:
    with interruptible():
        Finalized(lambda: interrupt(number))
        assert lost == [KeyboardInterrupt]
        wait_for_interrupt()


def test_whoever_looks_hears_of_a_lost_one_once(lost: list[type[BaseException] | None]) -> None:
    with interruptible():
        end_if_asked()
        Finalized(interrupt)
        with pytest.raises(KeyboardInterrupt):
            end_if_asked()
        end_if_asked()


def test_a_second_one_is_raised_as_the_first(lost: list[type[BaseException] | None]) -> None:
    with interruptible():
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                interrupt()


def test_one_that_has_ended_a_block_does_not_end_the_next(lost: list[type[BaseException] | None]) -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        interrupt()
    end_if_asked()
    with interruptible():
        end_if_asked()
