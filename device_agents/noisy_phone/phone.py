"""The noisy phone: networks with known latencies, run under a regime, on a clock that only its own work moves."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from device_agents.conditions import Conditions
from device_agents.noisy_phone.heat import Heat
from device_agents.noisy_phone.regime import CLOCK_STEP, Regime
from device_agents.noisy_phone.surroundings import Surroundings

STEP_S = 0.1
RAMP = 0.1
RAMP_S = 0.05
"""The first inferences after an idle moment are up to a tenth slower, until the clock is up and caches are warm."""

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Network:
    """true_ms: on a cool phone of average speed that does nothing else.

    compute: share of that time which the clock decides, the rest waits for memory. contention: how much of what other
    work takes away it feels. Both differ between networks, so that no correction by another network is exact: beside
    other work, one network of this project's became 5 % slower while the reference became 10 % slower
    (docs/measurement.md); rankings were seen to change under contention on phones, too (arXiv 2003.00138).
    """

    true_ms: float
    compute: float = 0.85
    contention: float = 1.0

    def slowdown(self, *, clock: float, work: float) -> float:
        """How many times longer it takes at this share of the clock, beside other work."""
        return (self.compute / clock + 1 - self.compute) * (1 + self.contention * work)


class NoisyPhone:
    """now_s: its clock. speed: of this phone against the average one of its class, drawn from the regime's spread."""

    def __init__(self, regime: Regime, rng: np.random.Generator, *, speed: float | None = None) -> None:
        self.now_s = 0.0
        self.speed = float(np.exp(rng.normal(0.0, regime.phone_spread))) if speed is None else speed
        self._regime = regime
        self._rng = rng
        self._heat = Heat(regime)
        self._surroundings = Surroundings(regime, rng)

    def run(self, network: Network, inferences: int) -> tuple[float, ...]:
        """Milliseconds of each inference, one after the other in one start of the runner."""
        start = float(np.exp(self._rng.normal(0.0, self._regime.start_jitter)))
        begun, taken, left = self.now_s, [], inferences
        while left > 0:
            ms = network.true_ms / self.speed * start
            count = min(left, max(1, round(STEP_S * 1e3 / ms)))
            taken.append(self._chunk(network, ms, count, self.now_s - begun))
            left -= count
        return tuple(np.concatenate(taken).tolist())

    def idle(self, seconds: float) -> None:
        """Time passes without work of ours."""
        if seconds <= 0:
            return
        self._heat.pass_time(seconds, busy=False)
        self._surroundings.pass_time(seconds)
        self.now_s += seconds

    def conditions(self) -> Conditions:
        """What it would say of itself. The battery is as warm as the skin."""
        return Conditions(
            booted=True,
            thermal_status=self._heat.status,
            temperatures={"skin": self._heat.skin},
            battery_level=100,
            battery_temperature=self._heat.skin,
            powered=True,
            power_saver=False,
            free_bytes=2**36,
        )

    def _chunk(self, network: Network, ms: float, count: int, since_start_s: float) -> Samples:
        nominal_s = count * ms / 1e3
        work, steps, wander = self._surroundings.pass_time(nominal_s)
        clock = self._heat.clock * (1 - CLOCK_STEP * steps) * (1 - wander)
        pace = ms * network.slowdown(clock=clock, work=work)
        age_s = since_start_s + np.arange(count) * pace / 1e3
        times: Samples = pace * (1 + RAMP * np.exp(-age_s / RAMP_S)) * self._scatter(count)
        self._heat.pass_time(float(times.sum()) / 1e3, busy=True)
        self.now_s += float(times.sum()) / 1e3
        return times

    def _scatter(self, count: int) -> Samples:
        regime, rng = self._regime, self._rng
        interrupted = rng.random(count) < regime.tail
        longer = 1 + interrupted * rng.exponential(regime.tail_scale, count)
        scattered: Samples = np.exp(rng.normal(0.0, regime.jitter, count)) * longer
        return scattered
