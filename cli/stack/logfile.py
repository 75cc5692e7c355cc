"""Log files that processes append to: kept small while they do, and searched for what went wrong."""

import os
import re
from pathlib import Path

LIMIT = 8 * 2**20
FULL_DISK = re.compile("No space left on device|Disk quota exceeded")


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


def read_tail(log: Path, start: int = 0, limit: int = 4000) -> str:
    """Text of a log behind `start` (bytes), at most the last `limit` bytes; empty where there is no log."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(min(start, size), size - limit))
            return file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def complaint(output: str) -> str:
    """What a program's output says is wrong, as one line: Postgres' last error with its detail, else the last line.

    A full disk comes before all: of what follows from it, the last is seldom what names it.
    """
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if full := [line for line in lines if FULL_DISK.search(line)]:
        return re.sub(r"^.*?\b(?:LOG|WARNING|ERROR|FATAL|PANIC|error): +", "", full[-1])
    for index in range(len(lines) - 1, -1, -1):
        if found := re.search(r"(?:FATAL|PANIC|error): +(.*)", lines[index]):
            details = [re.search(r"DETAIL: +(.*)", line) for line in lines[index + 1 : index + 2]]
            return "; ".join([found[1], *(detail[1] for detail in details if detail)])
    return lines[-1] if lines else "no output"
