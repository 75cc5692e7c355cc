"""One phone's agent as a process: started again when it ends by itself, ended when its phone is gone."""

import logging
import subprocess
from collections.abc import Callable

from cli.stack.supervisor import BACKOFF_S, SETTLED_S

log = logging.getLogger(__name__)

USER_ERROR = 2
GRACE_S = 15.0
"""For an agent to hand back its work."""

Process = subprocess.Popen[bytes]


class KeptAgent:
    """Not for several threads. Times are seconds of one clock, which only goes forward.

    start: starts the process.
    """

    def __init__(self, address: str, serial: str, start: Callable[[], Process]) -> None:
        self.address = address
        self.serial = serial
        self.given_up = False
        """It ended with a mistake of the user's, which no new start mends."""
        self._start = start
        self._process: Process | None = None
        self._started = 0.0
        self._due = 0.0
        self._kill_at: float | None = None
        self._quick_endings = 0

    @property
    def runs(self) -> bool:
        return self._process is not None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def keep(self, now: float) -> None:
        """Looks after the process once: starts it where it is due."""
        self._bury_if_ended(now)
        if self._process is None and not self.given_up and now >= self._due:
            self._process = self._start()
            self._started, self._kill_at = now, None

    def dismiss(self, now: float) -> None:
        """Has the process end; to be called until it does not run any more."""
        if self._process is not None and self._kill_at is None:
            log.info("the agent of %s ends: its phone is gone", self.address)
            self.end(now)
        self._bury_if_ended(now)

    def end(self, now: float) -> None:
        """Asks the process to end."""
        self._kill_at = now + GRACE_S
        if self._process is not None:
            self._process.terminate()

    def wait(self, timeout_s: float) -> None:
        """Returns when the process has ended, or is killed then."""
        if self._process is None:
            return
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _bury_if_ended(self, now: float) -> None:
        code = self._process.poll() if self._process else None
        if code is None:
            self._kill_if_due(now)
            return
        self._process = None
        if self._kill_at is not None:  # as it was told
            self._due = now
        elif code == USER_ERROR:
            self.given_up = True
            log.error("the agent of %s has given up: see its last line", self.address)
        else:
            self._schedule(code, now)

    def _kill_if_due(self, now: float) -> None:
        if self._process is not None and self._kill_at is not None and now >= self._kill_at:
            self._process.kill()

    def _schedule(self, code: int, now: float) -> None:
        self._quick_endings = 1 if now - self._started > SETTLED_S else self._quick_endings + 1
        delay = BACKOFF_S[min(self._quick_endings, len(BACKOFF_S)) - 1]
        self._due = now + delay
        log.warning("the agent of %s has ended with exit code %d: again in %.1f s", self.address, code, delay)
