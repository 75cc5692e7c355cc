"""A network run without a pause, for minutes: how its latency rises while the phone heats."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from device_agents.conditions import Conditions, Limits, obstacle
from device_agents.runtimes import BlockTimes

LAST_SHARE = 0.1
"""Of the time: what `latency_sustained_ms` is the median of."""
POINTS = 60
SHORTEST_S, LONGEST_S = 0.5, 10.0
"""Of a run of the network: the curve has some sixty points, and a phone that must stop is asked often enough."""
HARD_LIMITS = replace(Limits(), thermal_status=2, cpu_temperature=100.0)
"""Throttling is what this is about; severe throttling (status 3) and a hot battery or skin end it."""


@dataclass(frozen=True)
class Point:
    """at_s: end of the run, from the beginning on; latency_ms: its median, as it was."""

    at_s: float
    latency_ms: float
    thermal_status: int | None
    battery_temperature: float | None


@dataclass(frozen=True)
class Curve:
    """stopped: why before its time was over. At least one point."""

    planned_s: float
    points: tuple[Point, ...]
    stopped: str | None = None

    @property
    def ran_s(self) -> float:
        return self.points[-1].at_s

    @property
    def latency_ms(self) -> float:
        """Median of the last tenth of the time that it ran."""
        since = (1 - LAST_SHARE) * self.ran_s
        return statistics.median(point.latency_ms for point in self.points if point.at_s > since)

    def to_dict(self) -> dict[str, Any]:
        return {
            "planned_s": self.planned_s,
            "ran_s": self.ran_s,
            "stopped": self.stopped,
            "latency_ms": self.latency_ms,
            "curve": [asdict(point) for point in self.points],
        }


@dataclass(frozen=True)
class SustainedRun:
    """time_block: runs the network so many times; conditions: of the phone now, or raises what ends all work;
    on_progress: is told the share that is done.
    """

    time_block: Callable[[int], BlockTimes]
    conditions: Callable[[], Conditions]
    on_progress: Callable[[float], None]
    clock: Callable[[], float] = time.monotonic

    def run(self, seconds: float, pace_ms: float) -> Curve:
        """Until the time is over or the phone may not go on. pace_ms: of the network on the cool phone."""
        run_s = min(LONGEST_S, max(SHORTEST_S, seconds / POINTS))
        inferences = max(1, math.ceil(run_s * 1e3 / pace_ms))
        begun = self.clock()
        points: list[Point] = []
        problem = None
        while problem is None and (not points or points[-1].at_s < seconds):
            samples = self.time_block(inferences).samples_ms
            now = self.conditions()
            latency_ms = statistics.median(samples)
            points.append(Point(self.clock() - begun, latency_ms, now.thermal_status, now.battery_temperature))
            self.on_progress(min(1.0, points[-1].at_s / seconds))
            problem = obstacle(now, HARD_LIMITS)
        stopped = str(problem) if problem is not None and points[-1].at_s < seconds else None
        return Curve(seconds, tuple(points), stopped)
