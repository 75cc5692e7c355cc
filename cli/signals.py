"""SIGTERM and SIGHUP end a command as Ctrl-C does: in order."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
POLL_S = 1.0


class _Heard:
    """Whether one of them has come that nobody has ended for yet. Handlers are the process's own, and so is this."""

    ending = False


@contextmanager
def interruptible() -> Iterator[None]:
    """Within the block all of them raise KeyboardInterrupt. Outside the main thread nothing changes.

    One that comes while Python runs a finalizer, or a function that a C library calls, is printed there and lost: loops
    that wait look with `end_if_asked`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        _Heard.ending = True
        raise KeyboardInterrupt

    _Heard.ending = False
    before = {number: signal.signal(number, interrupt) for number in ENDING}
    try:
        yield
    finally:
        _Heard.ending = False
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Within the block they are ignored: a second Ctrl-C must not break off the cleaning up after the first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_if_asked() -> None:
    """KeyboardInterrupt where one was raised (within `interruptible`) and got lost."""
    if _Heard.ending and threading.current_thread() is threading.main_thread():
        _Heard.ending = False
        raise KeyboardInterrupt


def wait_for_interrupt() -> None:
    """Returns at Ctrl-C, SIGTERM or SIGHUP (within `interruptible`)."""
    asleep = threading.Event()
    try:
        while not asleep.wait(POLL_S):
            end_if_asked()
    except KeyboardInterrupt:
        return
