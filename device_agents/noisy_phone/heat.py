"""The heat of a noisy phone: it builds up with work, flows off into the room, and costs clock steps and a status."""

import math

from device_agents.noisy_phone.regime import (
    CLOCK_STEP,
    DEGREES_PER_STEP,
    HYSTERESIS,
    LIGHT_LIMIT,
    SEVERE_LIMIT,
    SILENT_LIMIT,
    SKIN_S,
    Regime,
)

MODERATE_LIMIT = (LIGHT_LIMIT + SEVERE_LIMIT) / 2
IDLE_SHARE = 0.1
"""Of the full load's heat, from a phone that waits."""


class Heat:
    """Newton's law for the skin, with full load's heat scaled by the square of the clock (voltage falls with it)."""

    def __init__(self, regime: Regime) -> None:
        self._ambient = regime.ambient
        self._sealed = regime.sealed
        self.skin = regime.ambient + IDLE_SHARE * regime.sealed
        self.status = 0

    @property
    def clock(self) -> float:
        """Share of the full clock that heat leaves: whole steps."""
        return 1 - CLOCK_STEP * max(0, math.floor((self.skin - SILENT_LIMIT) / DEGREES_PER_STEP))

    def pass_time(self, seconds: float, *, busy: bool) -> None:
        load = self.clock**2 if busy else IDLE_SHARE
        target = self._ambient + self._sealed * load
        self.skin = target + (self.skin - target) * math.exp(-seconds / SKIN_S)
        self._report()

    def _report(self) -> None:
        """Android's status: up at a limit, down only a little below it."""
        limits = (LIGHT_LIMIT, MODERATE_LIMIT, SEVERE_LIMIT)
        while self.status < len(limits) and self.skin >= limits[self.status]:
            self.status += 1
        while self.status > 0 and self.skin < limits[self.status - 1] - HYSTERESIS:
            self.status -= 1
