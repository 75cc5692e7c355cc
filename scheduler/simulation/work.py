"""What work costs and comes to in a simulation: drawn from the candidate's own generator, whoever does it and when."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from paretofarm.architecture import Architecture
from paretofarm.errors import BuildFailed, ParetofarmError, PhoneOffline
from paretofarm.lifecycle import Stage, Step


@dataclass(frozen=True)
class Durations:
    """mean_s: of each stage's work, in seconds. spread: sigma of the log-normal around it; 0: constant."""

    mean_s: Mapping[Stage, float]
    spread: Mapping[Stage, float] = field(default_factory=dict)

    def draw(self, stage: Stage, rng: np.random.Generator) -> float:
        sigma = self.spread.get(stage, 0.0)
        return self.mean_s[stage] * math.exp(rng.normal(-(sigma**2) / 2, sigma) if sigma else 0.0)


@dataclass(frozen=True)
class Hazards:
    """Probabilities, per attempt. fails: the candidate's own fault. unavailable: nobody's fault, it is tried again.

    freezes: whoever does it says nothing more until its lease has expired, and then comes with a late result.
    """

    fails: float = 0.0
    unavailable: float = 0.0
    freezes: float = 0.0


@dataclass(frozen=True)
class Attempt:
    """error: what it ends with; None: it succeeds."""

    duration_s: float
    error: ParetofarmError | None = None
    freezes: bool = False


@dataclass(frozen=True)
class Work:
    """All that is drawn. The same seed, candidate, step and attempt always give the same."""

    durations: Durations
    hazards: Hazards = Hazards()
    seed: int = 0

    def attempt(self, number: int, step: Step, attempt: int) -> Attempt:
        rng = np.random.default_rng([self.seed, number, list(Stage).index(step.stage), step.rung or 0, attempt])
        duration_s, chance = self.durations.draw(step.stage, rng), rng.random(3)
        error: ParetofarmError | None = None
        if chance[0] < self.hazards.fails:
            error = BuildFailed("drawn")
        elif chance[1] < self.hazards.unavailable:
            error = PhoneOffline("drawn")
        return Attempt(duration_s, error, freezes=bool(chance[2] < self.hazards.freezes))

    def metrics(self, architecture: Architecture, step: Step) -> dict[str, float]:
        """Of a made-up network whose quality and latency both grow with its size, up to chance."""
        rng = np.random.default_rng([self.seed, int(architecture.digest[:12], 16)])
        size, luck = rng.random(2)
        match step.stage:
            case Stage.BUILD:
                return {"parameters": 1e4 + 1e6 * size, "macs": 1e6 + 1e8 * size}
            case Stage.COMPILE:
                return {f"network_bytes@{step.device}": 1e4 + 1e6 * size}
            case Stage.MEASURE:
                return {f"latency_ms@{step.device}": 1.0 + 9.0 * size}
            case Stage.TRAIN:
                return {"miou": float(min(1.0, 0.3 + 0.4 * size + 0.2 * luck))}
            case Stage.SCORE:
                return {f"device_miou@{step.device}": float(min(1.0, 0.3 + 0.4 * size + 0.2 * luck))}
