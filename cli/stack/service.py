"""What the supervisor keeps alive: the two servers and the processes that its caller names."""

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cli.stack.child import Launch, Signals
from cli.stack.folder import DataFolder
from cli.stack.guardian import MARK

SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""Or `python -m` would take a package named `db` or `cli` in the user's current folder for ours."""


class Service(Protocol):
    """One process that is kept alive. All methods are called by the supervisor's thread."""

    @property
    def name(self) -> str: ...

    @property
    def restart(self) -> bool:
        """Whether it is started again when it ends by itself."""

    @property
    def stop_signals(self) -> Signals:
        """How it is asked to end; SIGKILL follows."""

    @property
    def rank(self) -> int:
        """What uses others ranks above them, and stops before them."""

    @property
    def start_timeout_s(self) -> float:
        """How long it may take until it is ready."""

    def prepare(self) -> Launch:
        """Repairs what an earlier run has left and says what to start. Errors: `StackError`."""

    def is_ready(self) -> bool:
        """Whether it answers."""

    def repair(self, log: str) -> bool:
        """After a start that failed with this output: whether something was done about it, so that another may work."""


@dataclass(frozen=True)
class ProcessSpec:
    """A process of the stack: argv (first word an absolute path, such as `sys.executable`).

    `environment` is added to ours. Its output goes to `<data>/logs/NAME.log`. At the end it gets SIGTERM, then after
    `grace_s` seconds its whole group gets SIGKILL.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    nice: int = 0
    restart: bool = True
    grace_s: float = 5.0


@dataclass(frozen=True)
class ProcessService:
    """A `ProcessSpec` as a service: ready as soon as it runs."""

    spec: ProcessSpec
    folder: DataFolder
    stack_id: str
    rank: int = 2
    start_timeout_s: float = 0.0

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def restart(self) -> bool:
        return self.spec.restart

    @property
    def stop_signals(self) -> Signals:
        return ((signal.SIGTERM, self.spec.grace_s),)

    def prepare(self) -> Launch:
        mark = f"{self.stack_id}.{self.name}."
        return Launch(
            argv=self.spec.argv,
            environment={**os.environ, **SAFE_PATH, **self.spec.environment, MARK: mark},
            log=self.folder.log(self.name),
            nice=self.spec.nice,
            mark=mark,
        )

    def is_ready(self) -> bool:
        return True

    def repair(self, log: str) -> bool:
        return False
