"""Who runs a stack in a data folder: a lock that dies with its holder, and a file that says what runs."""

import fcntl
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from cli.file_errors import readable_errors
from cli.stack.folder import DataFolder
from cli.stack.remote import write_private
from paretofarm.errors import StackError

RETRY_S = 0.05


class StackInUse(StackError):
    """Another process runs a stack in this data folder."""


class StackMode(StrEnum):
    """What a running stack consists of."""

    FULL = "full"
    DATABASE = "database"
    """Postgres alone, for as long as some command uses it."""


@dataclass(frozen=True)
class StackState:
    """A running stack. `stack_id` marks its processes; `phones` maps names to `host:port`."""

    stack_id: str
    pid: int
    mode: StackMode
    database_url: str
    broker_url: str | None = field(default=None, repr=False)
    sockets: str = ""
    phones: Mapping[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Replaces the file in one step: a reader sees the old or the new one. The addresses may hold a password."""
        write_private(path, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> "StackState | None":
        """None where there is no such file, or nothing that we have written."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{**content, "mode": StackMode(content["mode"])})
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None


class FileLock:
    """A `flock`, released when the holder ends, however it ends. The file holds the last holder's process id."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with readable_errors(path, StackError):
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def acquire(self, *, shared: bool = False, wait_s: float = 0.0) -> bool:
        """Whether the lock was free within `wait_s` seconds. Never waits longer."""
        deadline = time.monotonic() + wait_s
        while not self._try(fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
            if time.monotonic() >= deadline:
                return False
            time.sleep(RETRY_S)
        if not shared:
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, str(os.getpid()).encode(), 0)
        return True

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self._file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def holder(self) -> int:
        """Process id of the last exclusive holder, 0 where there was none."""
        return int(os.pread(self._file, 20, 0) or b"0")

    def release(self) -> None:
        """Gives the lock back; the object cannot be used again."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def find_running_stack(data_dir: Path) -> StackState | None:
    """The stack that runs in a data folder and is ready to be used, else None. A file left by a killed one is none.

    Errors: StackError where the folder may not be read.
    """
    folder = DataFolder(Path(os.path.abspath(data_dir)))
    with folder.readable():
        holder = lock_holder(folder)
        if holder is None:
            return None
        state = StackState.read(folder.state)
        return state if state and state.pid == holder else None


def lock_holder(folder: DataFolder) -> int | None:
    """Process id of whoever runs a stack (ready or not) in the folder, else None."""
    if not folder.lock.exists():
        return None
    with FileLock(folder.lock) as lock:
        return None if lock.acquire(shared=True) else lock.holder()
