"""Outlives a supervisor that is killed, by half a second: `python -I -S guardian.py MARK`.

It reads its standard input: `+GROUP SIGNAL` and `-GROUP` as process groups come and go, `bye` before an orderly end.
An end without `bye` means that the supervisor was killed: every group that is left gets its signal, then SIGKILL, and
so does every process that carries the mark in its environment (whatever session it has moved to).
"""

import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

MARK = "PARETOFARM_STACK_PROCESS"
GRACE_S = 0.5


def main(mark: str) -> None:
    groups: dict[int, int] = {}
    for line in sys.stdin:
        if line.strip() == "bye":
            return
        follow(groups, line)
    for group, number in groups.items():
        signal_group(group, number)
    kill_marked(mark)
    deadline = time.monotonic() + GRACE_S
    while any(group_exists(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.02)
    for group in groups:
        signal_group(group, signal.SIGKILL)
    kill_marked(mark)


def follow(groups: dict[int, int], line: str) -> None:
    words = line.split()
    if words[0].startswith("+"):
        groups[int(words[0])] = int(words[1])
    else:
        groups.pop(-int(words[0]), None)


def signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says so of a group of zombies
        return False
    return True


def kill_marked(mark: str) -> int:
    """Kills the processes whose environment's mark begins with `mark`; how many there were. Linux only, else none."""
    marked = list(marked_processes(mark))
    for process in marked:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)
    return len(marked)


def marked_processes(mark: str) -> Iterator[int]:
    needle = f"{MARK}={mark}".encode()
    for process in all_processes():
        # Gone meanwhile, or somebody else's.
        with suppress(OSError):
            if any(entry.startswith(needle) for entry in Path(f"/proc/{process}/environ").read_bytes().split(b"\0")):
                yield process


def all_processes() -> Iterable[int]:
    folder = Path("/proc")
    if not folder.is_dir():
        return []
    return [int(entry.name) for entry in folder.iterdir() if entry.name.isdigit() and int(entry.name) != os.getpid()]


if __name__ == "__main__":
    main(sys.argv[1])
