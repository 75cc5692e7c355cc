"""`paretofarm up` with the user's own Postgres and broker: only our processes are started and kept alive."""

import uuid
from collections.abc import Sequence
from pathlib import Path

from cli.stack.folder import DataFolder
from cli.stack.service import ProcessService, ProcessSpec
from cli.stack.state import FileLock
from cli.stack.supervisor import ServiceStatus, Supervisor
from paretofarm.errors import StackError


class ProcessGroup:
    """Processes that end with this one. `data_dir` keeps their logs, and the phones. Errors: `StackError`."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = DataFolder.create(data_dir)
        self._lock = FileLock(self.folder.lock)
        self._supervisor: Supervisor | None = None

    def start(self, specs: Sequence[ProcessSpec]) -> None:
        if not self._lock.acquire():
            raise StackError(f"{self.folder.root} is in use by another paretofarm (process {self._lock.holder()})")
        mark = uuid.uuid4().hex
        self._supervisor = Supervisor(mark, self.folder.log("guardian"))
        self._supervisor.start([ProcessService(spec, self.folder, mark) for spec in specs])

    def stop(self) -> None:
        if self._supervisor:
            self._supervisor.stop()
            self._supervisor = None
        self._lock.release()

    def services(self) -> list[ServiceStatus]:
        return self._supervisor.statuses() if self._supervisor else []
