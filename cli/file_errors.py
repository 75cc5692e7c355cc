"""What the file system complains of, in one line for the user."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paretofarm.errors import ParetofarmError


@contextmanager
def readable_errors(path: Path, kind: type[ParetofarmError]) -> Iterator[None]:
    """Turns what the file system says about `path`, or about a file below it, into an error of that kind."""
    try:
        yield
    except OSError as error:
        raise kind(f"{error.filename or path}: {error.strerror}") from error
