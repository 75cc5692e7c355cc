"""Standard output that says so, in one line, where it cannot be written: a full disk, or closed by the shell."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from paretofarm.errors import ServiceError

IN, OUT, ERR = range(3)


class OutputError(ServiceError):
    """The output cannot be written."""


def check_output() -> None:
    """Has `sys.stdout` raise OutputError. Standard streams that are closed are opened, so that no other file gets
    their numbers; writing to standard output still fails then.
    """
    for number, stream, mode in (
        (IN, sys.stdin, os.O_RDONLY),
        (OUT, sys.stdout, os.O_RDONLY),
        (ERR, sys.stderr, os.O_WRONLY),
    ):
        if stream is None:
            os.dup2(os.open(os.devnull, mode), number)
    sys.stdin = sys.stdin or open(IN, closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(ERR, "w", closefd=False)  # noqa: SIM115
    sys.stdout = _CheckedOutput(
        open(OUT, "wb", closefd=False),  # noqa: SIM115
        encoding=getattr(sys.stdout, "encoding", "utf-8"),
        errors=getattr(sys.stdout, "errors", "strict"),
        line_buffering=os.isatty(OUT),
    )


class _CheckedOutput(io.TextIOWrapper):
    def write(self, text: str, /) -> int:
        with _named():
            return super().write(text)

    def flush(self) -> None:
        with _named():
            super().flush()


@contextmanager
def _named() -> Iterator[None]:
    """A closed pipe passes: `head` has what it wanted."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        # What is still buffered would be tried again at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), OUT)
        raise OutputError(f"standard output cannot be written: {error.strerror}") from error
