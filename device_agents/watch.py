"""Looks at the phone between two blocks: what disturbed the last one, and whether to go on at all."""

from collections.abc import Callable
from dataclasses import dataclass, field

from device_agents.conditions import Conditions, disturbance
from paretofarm.errors import PhoneOverheated, Unavailable

Pause = Callable[[float], None]
"""Waits so many seconds, or raises what ends the work."""


@dataclass
class Watch:
    """look: at the phone; judge: why it must not be measured under such conditions; first: before everything."""

    look: Callable[[], Conditions]
    judge: Callable[[Conditions], Unavailable | None]
    pause: Pause
    first: Conditions
    last: Conditions = field(init=False)
    _beyond: bool = False

    def __post_init__(self) -> None:
        self.last = self.first

    def conditions(self) -> Conditions:
        """Of the phone now; whatever they are, the work may go on."""
        self.pause(0.0)
        self.last = self.look()
        return self.last

    def disturbance(self) -> str | None:
        """What made the last block worthless, or None."""
        previous = self.last
        return self._gate(self.conditions()) or disturbance(previous, self.last)

    def _gate(self, now: Conditions) -> str | None:
        """A block beyond the limits does not count; a phone that stays there is not measured on. A moment's heat may
        be the network's own.
        """
        problem = self.judge(now)
        if problem is not None and (self._beyond or not isinstance(problem, PhoneOverheated)):
            raise problem
        self._beyond = problem is not None
        return None if problem is None else str(problem)
