"""The pace at which a phone usually runs the reference network: what is far from it was measured in a bad hour."""

import statistics
from collections import deque
from collections.abc import Callable

REMEMBERED = 5


class UsualPace:
    """Median of a phone's last few paces, by protocol. It follows a change that stays (another system version,
    another neighbour on a virtual phone's machine) within three measurements.
    """

    def __init__(self) -> None:
        self._paces: dict[str, deque[float]] = {}

    def of(self, protocol: str, measure: Callable[[], float]) -> float:
        """Milliseconds per inference of the reference; the first time for this protocol it is measured now."""
        if protocol not in self._paces:
            self.note(protocol, measure())
        return statistics.median(self._paces[protocol])

    def note(self, protocol: str, pace_ms: float) -> None:
        """Adds the pace of one measurement."""
        self._paces.setdefault(protocol, deque(maxlen=REMEMBERED)).append(pace_ms)
