"""What slows a phone down from outside of the network: other work, clock steps, a slow wander. One step at a time."""

import math

import numpy as np

from device_agents.noisy_phone.regime import Bursts, Regime


class Spells:
    """Something that comes after an exponential gap and stays for an exponential while, at a strength of its own."""

    def __init__(self, bursts: Bursts, rng: np.random.Generator) -> None:
        self._bursts = bursts
        self._rng = rng
        self._on = False
        self._left_s = float(rng.exponential(bursts.gap_s))
        self._strength = 0.0

    def pass_time(self, seconds: float) -> float:
        """Mean strength over the next so many seconds."""
        total, left = 0.0, seconds
        while left > 0:
            part = min(left, self._left_s)
            total += part * self._strength
            left -= part
            self._left_s -= part
            if self._left_s <= 0:
                self._turn()
        return total / seconds

    def _turn(self) -> None:
        self._on = not self._on
        mean = self._bursts.length_s if self._on else self._bursts.gap_s
        self._left_s = max(1e-6, float(self._rng.exponential(mean)))
        self._strength = float(self._rng.uniform(self._bursts.low, self._bursts.high)) if self._on else 0.0


class Wander:
    """An Ornstein-Uhlenbeck process: wanders about 0 with a standard deviation, forgets itself within a time."""

    def __init__(self, deviation: float, time_s: float, rng: np.random.Generator) -> None:
        self._deviation = deviation
        self._time_s = time_s
        self._rng = rng
        self._value = float(rng.normal(0.0, deviation))

    def pass_time(self, seconds: float) -> float:
        kept = math.exp(-seconds / self._time_s)
        self._value = self._value * kept + self._deviation * math.sqrt(1 - kept**2) * float(self._rng.normal())
        return self._value


class Surroundings:
    """All of it for one phone."""

    def __init__(self, regime: Regime, rng: np.random.Generator) -> None:
        self._work = [Spells(bursts, rng) for bursts in regime.bursts]
        step = Bursts(regime.dvfs_gap_s, regime.dvfs_length_s, 1.0, 1.0)
        self._steps = Spells(step, rng)
        self._wander = Wander(regime.drift, regime.drift_s, rng)

    def pass_time(self, seconds: float) -> tuple[float, float, float]:
        """Over the next so many seconds: share taken by other work, clock steps lost, relative slowdown by wander."""
        work = sum(spells.pass_time(seconds) for spells in self._work)
        return work, self._steps.pass_time(seconds), self._wander.pass_time(seconds)
