"""The pace at which a phone runs the reference network, of late and at rest: what is far from it was a bad hour."""

import math
import statistics
from collections import deque
from collections.abc import Callable

REMEMBERED = 20
RECENT = 5
FASTER = 0.1


class UsualPace:
    """A phone's last paces, by protocol. Both views of them follow a change that stays (another system version, another
    neighbour on a virtual phone's machine): `of` within three measurements, `at_rest` within twenty.
    """

    def __init__(self) -> None:
        self._paces: dict[str, deque[float]] = {}

    def of(self, protocol: str, measure: Callable[[], float]) -> float:
        """Median of the last few, in milliseconds per inference; the first time for this protocol it is measured now.

        For a phone that knows no rest since others compute on its processor, as a virtual one.
        """
        return statistics.median(self._known(protocol, measure)[-RECENT:])

    def at_rest(self, protocol: str, measure: Callable[[], float]) -> float:
        """The same while nothing slows the phone: a tenth of what is remembered was faster."""
        paces = sorted(self._known(protocol, measure))
        return paces[math.floor(FASTER * len(paces))]

    def note(self, protocol: str, pace_ms: float) -> None:
        """Adds the pace of one measurement."""
        self._paces.setdefault(protocol, deque(maxlen=REMEMBERED)).append(pace_ms)

    def forget(self) -> None:
        """Another system version, or another phone at the same address: nothing of before counts."""
        self._paces.clear()

    def _known(self, protocol: str, measure: Callable[[], float]) -> list[float]:
        if protocol not in self._paces:
            self.note(protocol, measure())
        return list(self._paces[protocol])
