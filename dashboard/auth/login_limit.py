"""How often somebody may try to log in: so many times a minute from one address, and so many in all."""

import threading
import time
from collections import deque
from collections.abc import Callable

from dashboard.auth.refusal import TooManyAttempts

WINDOW_S = 60.0
ADDRESSES = 10_000
"""Remembered at a time; the limit for all makes more than so many within a window impossible."""


class LoginLimit:
    """Counts failures within the last minute. Safe to share between threads."""

    def __init__(self, *, per_address: int = 5, in_all: int = 60, now: Callable[[], float] = time.monotonic) -> None:
        self._per_address = per_address
        self._in_all = in_all
        self._now = now
        self._lock = threading.Lock()
        self._failures: dict[str, deque[float]] = {}
        self._all: deque[float] = deque()

    def check(self, address: str) -> None:
        """Errors: TooManyAttempts."""
        with self._lock:
            self._wait(self._failures.get(address, deque()), self._per_address)
            self._wait(self._all, self._in_all)

    def failed(self, address: str) -> None:
        with self._lock:
            moment = self._now()
            self._forget(moment)
            self._failures.setdefault(address, deque(maxlen=self._per_address)).append(moment)
            self._all.append(moment)

    def _wait(self, failures: deque[float], limit: int) -> None:
        recent = [moment for moment in failures if moment > self._now() - WINDOW_S]
        if len(recent) >= limit:
            raise TooManyAttempts(max(recent[-limit] + WINDOW_S - self._now(), 1.0))

    def _forget(self, moment: float) -> None:
        while self._all and self._all[0] <= moment - WINDOW_S:
            self._all.popleft()
        if len(self._failures) > ADDRESSES:
            recent = {address: times for address, times in self._failures.items() if times[-1] > moment - WINDOW_S}
            self._failures = recent
