"""The database for commands that need it for a moment, several at once.

A running `up` is used as it is. Otherwise the first command starts a keeper, a process that runs Postgres; every
command holds a shared lock while it uses it, and the keeper ends with the last of them, however that ended.
"""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.file_errors import readable_errors
from cli.stack.folder import DataFolder
from cli.stack.logfile import complaint, read_tail
from cli.stack.state import FileLock, StackMode, find_running_stack, lock_holder
from paretofarm.errors import StackError

logger = logging.getLogger(__name__)

POLL_S = 0.03
END_S = 5.0
IN_USE = 75
"""A keeper's exit code where another process has the folder."""


@contextmanager
def embedded_database(data_dir: Path, *, wait_s: float = 60.0) -> Iterator[str]:
    """SQLAlchemy's address of the local database, which runs at least as long as the block.

    The process must stay (no `exec`): the lock is its own. Errors: `StackError` where the database does not start, or
    another process holds the folder for more than `wait_s` seconds without a database to share.
    """
    folder = DataFolder.create(data_dir)
    running = find_running_stack(folder.root)
    if running and running.mode is StackMode.FULL:
        yield running.database_url
        return
    with FileLock(folder.users) as users:
        if not users.acquire(shared=True, wait_s=wait_s):
            raise StackError(f"the database in {folder.root} has been stopping for {wait_s:.0f} s")
        yield _find_or_start(folder, time.monotonic() + wait_s)
        last = users.acquire()
    if last:
        _wait_for_end(folder)


def _find_or_start(folder: DataFolder, deadline: float) -> str:
    keeper: _Keeper | None = None
    while True:
        if running := find_running_stack(folder.root):
            return running.database_url
        holder = lock_holder(folder)
        if holder is None and (keeper is None or keeper.came_second()):
            keeper = _Keeper(folder)
        elif keeper and keeper.failed():
            raise StackError(keeper.complaint())
        if time.monotonic() > deadline:
            raise StackError(
                f"the database in {folder.root} is not ready: process {holder} holds it; see {folder.logs}"
            )
        time.sleep(POLL_S)


def _wait_for_end(folder: DataFolder) -> None:
    """So that after the last command the folder is quiet: it may be copied or deleted."""
    deadline = time.monotonic() + END_S
    while lock_holder(folder) is not None and time.monotonic() < deadline:
        time.sleep(POLL_S)


class _Keeper:
    """The process that runs Postgres. Not our child in spirit: it may outlive us, for the others' sake."""

    def __init__(self, folder: DataFolder) -> None:
        self._log = folder.log("keeper")
        self._log_start = self._log.stat().st_size if self._log.exists() else 0
        command = [sys.executable, "-P", "-m", "cli.stack.keeper", str(folder.root)]
        with readable_errors(self._log, StackError), self._log.open("ab") as log:
            self._popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        threading.Thread(target=self._popen.wait, name="keeper-reaper", daemon=True).start()

    def came_second(self) -> bool:
        """Another keeper has been faster."""
        return self._popen.poll() in (0, IN_USE)

    def failed(self) -> bool:
        return self._popen.poll() not in (None, 0, IN_USE)

    def complaint(self) -> str:
        return complaint(read_tail(self._log, self._log_start))
