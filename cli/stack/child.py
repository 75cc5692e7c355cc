"""One started process: its own session, its output in a log file, and a stop that leaves nothing of its group."""

import logging
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.stack.guardian import kill_marked, signal_group
from cli.stack.identity import Identity, launch_command
from cli.stack.logfile import read_tail
from paretofarm.errors import StackError

logger = logging.getLogger(__name__)

Signals = Sequence[tuple[signal.Signals, float]]


@dataclass(frozen=True)
class Launch:
    """What to start and how. `environment` is the whole of it; `mark` finds descendants in other sessions."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    identity: Identity = Identity.SAME
    death_signal: signal.Signals = signal.SIGKILL
    nice: int = 0
    mark: str | None = None


class Child:
    """A running process. Start it from a thread that lives as long as the child shall."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self.log_start = launch.log.stat().st_size if launch.log.exists() else 0
        command = launch_command(
            launch.argv, identity=launch.identity, death_signal=launch.death_signal, nice=launch.nice
        )
        try:
            with launch.log.open("ab") as log:
                self._popen = subprocess.Popen(
                    command,
                    env=dict(launch.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise StackError(f"cannot start {launch.argv[0]}: {error}") from error

    @property
    def pid(self) -> int:
        """Of the process and of its group."""
        return self._popen.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative: ended by that signal."""
        return self._popen.poll()

    def send(self, number: signal.Signals) -> None:
        """Signals the process alone; nothing to do where it has ended."""
        self._popen.send_signal(number)

    def wait(self, timeout_s: float) -> bool:
        """Whether it has ended within the limit."""
        try:
            self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, signals: Signals) -> None:
        """Each signal in turn, with its time to obey in seconds, then SIGKILL for all that is left."""
        for number, grace_s in signals:
            self.send(number)
            if self.wait(grace_s):
                break
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the group and to what carries its mark; returns when the process itself is gone."""
        signal_group(self.pid, signal.SIGKILL)
        if not self.wait(10):
            logger.error("process %d does not end after SIGKILL", self.pid)
        if self.launch.mark:
            kill_marked(self.launch.mark)

    def log_tail(self) -> str:
        """The last of what it has written."""
        return read_tail(self.launch.log, self.log_start)


def stop_together(children: Sequence[tuple[Child, Signals]]) -> None:
    """Stops children side by side: all get their first signal before any is waited for."""
    for child, signals in children:
        child.send(signals[0][0])
    asked = time.monotonic()
    for child, ((_, grace_s), *rest) in children:
        if not child.wait(max(0.0, asked + grace_s - time.monotonic())):
            child.stop(rest)
        child.kill()
