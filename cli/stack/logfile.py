"""Log files that processes append to, kept small while they do."""

from pathlib import Path

LIMIT = 8 * 2**20


def bound_log(log: Path, limit: int = LIMIT) -> None:
    """Empties a log of more than `limit` bytes; its second half is kept in `NAME.log.1`.

    By truncation, not by renaming: the processes have the file open, for appending.
    """
    try:
        size = log.stat().st_size
    except FileNotFoundError:
        return
    if size <= limit:
        return
    with log.open("rb") as file:
        file.seek(size - limit // 2)
        log.with_name(log.name + ".1").write_bytes(file.read(limit))
    with log.open("r+b") as file:
        file.truncate()
