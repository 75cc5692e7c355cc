"""The moment at which a call must be over, whatever it waits for until then."""

import time


class DeadlineExceeded(Exception):
    """The phone did not answer within the limit of the call."""


class Deadline:
    """Set anew before every call."""

    def __init__(self) -> None:
        self._end = 0.0
        self._stall_s = 0.0

    def limit(self, timeout_s: float, *, stall_s: float | None = None) -> None:
        """For the next call, and for the longest single wait within it."""
        self._end = time.monotonic() + timeout_s
        self._stall_s = timeout_s if stall_s is None else stall_s

    def remaining_s(self) -> float:
        """Raises `DeadlineExceeded` where there is none left."""
        remaining = self._end - time.monotonic()
        if remaining <= 0:
            raise DeadlineExceeded("the time limit of the call is over")
        return remaining

    def wait_s(self) -> float:
        """For how long one wait may last."""
        return min(self.remaining_s(), self._stall_s)
