"""Our side of the guardian: a pipe whose end it notices when we are killed."""

import logging
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from cli.stack import guardian

logger = logging.getLogger(__name__)


class Lifeline:
    """Starts the guardian, tells it which process groups there are, and starts it anew should it be killed."""

    def __init__(self, mark: str, log: Path) -> None:
        self._log = log
        self._command = [sys.executable, "-I", "-S", str(Path(guardian.__file__)), mark]
        self._groups: dict[int, int] = {}
        self._guardian = self._start()

    def watch(self, group: int, number: signal.Signals) -> None:
        """At our sudden end the group shall get this signal, then SIGKILL."""
        self._groups[group] = number
        self._tell(f"+{group} {int(number)}")

    def forget(self, group: int) -> None:
        """The group has ended."""
        self._groups.pop(group, None)
        self._tell(f"-{group}")

    def renew(self) -> None:
        """Looks whether the guardian is still there."""
        if self._guardian.poll() is None:
            return
        logger.warning("the guardian has ended (%s): starting another", self._guardian.returncode)
        self._close()
        self._guardian = self._start()
        for group, number in self._groups.items():
            self._tell(f"+{group} {number}")

    def close(self) -> None:
        """Dismisses the guardian: an orderly end."""
        self._tell("bye")
        self._close()

    def _start(self) -> "subprocess.Popen[str]":
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
                bufsize=1,
                start_new_session=True,
            )

    def _tell(self, line: str) -> None:
        if self._guardian.stdin:
            with suppress(BrokenPipeError):  # `renew` sees to that
                self._guardian.stdin.write(line + "\n")

    def _close(self) -> None:
        if self._guardian.stdin:
            with suppress(BrokenPipeError):
                self._guardian.stdin.close()
        self._guardian.wait(10)
