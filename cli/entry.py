"""Where the program begins. Ctrl-C is quiet from here on, long before the rest is imported."""

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130


def main() -> None:
    """The `paretofarm` program."""
    heard = signal.getsignal(signal.SIGINT) is not signal.SIG_IGN  # a shell's background jobs ignore it
    if heard:
        signal.signal(signal.SIGINT, _end)
    from cli.main import main as program
    from cli.output import check_output

    check_output()
    if heard:  # from here on there is something to clean up, and somebody who does
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        program(prog_name="paretofarm")
    except KeyboardInterrupt:
        _end(signal.SIGINT, None)
    finally:
        if heard:
            signal.signal(signal.SIGINT, _end)


def _end(number: int, frame: FrameType | None) -> None:
    """At once: while modules are imported, or at the very end, an exception could only become a traceback."""
    try:
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"paretofarm: interrupted\n")
    finally:
        os._exit(INTERRUPTED)
