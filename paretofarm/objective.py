"""What a search wants (objectives) and what it must not exceed (constraints), as written in the experiment file."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from paretofarm.metrics import METRICS, Goal, Metric, metric_key
from paretofarm.strict import Strict

DEVICE_CLASS_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
DEVICE_CLASS_LENGTH = 63
DeviceClass = Annotated[str, Field(pattern=DEVICE_CLASS_PATTERN, max_length=DEVICE_CLASS_LENGTH)]
Bound = Annotated[float, Field(allow_inf_nan=False)]


class _OnMetric(Strict):
    """A known metric, of one device class where the metric is measured on devices."""

    name: str
    device: DeviceClass | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.name not in METRICS:
            raise ValueError(f"unknown metric {self.name!r}; known are {', '.join(METRICS)}")
        if self.metric.per_device and self.device is None:
            raise ValueError(f"{self.name} differs between devices: say which, e.g. device: virtual")
        if self.device is not None and not self.metric.per_device:
            raise ValueError(f"{self.name} is the same on every device: remove device: {self.device}")
        return self

    @property
    def metric(self) -> Metric:
        return METRICS[self.name]

    @property
    def key(self) -> str:
        """Key of the value in a candidate's metrics: `name` or `name@device`."""
        return metric_key(self.name, self.device)


class Objective(_OnMetric):
    """A metric to make as great or as small as possible."""

    goal: Goal

    @property
    def sign(self) -> float:
        """Factor that turns the metric into something to minimise."""
        return -1.0 if self.goal is Goal.MAXIMIZE else 1.0


class Constraint(_OnMetric):
    """Limits that a metric must keep; a candidate that breaks one is infeasible."""

    at_most: Bound | None = None
    at_least: Bound | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.at_most is None and self.at_least is None:
            raise ValueError(f"a constraint on {self.name} needs at_most or at_least")
        if self.at_most is not None and self.at_most <= 0:
            raise ValueError(f"impossible: {self.name} is never at most {self.at_most:g}")
        if self.at_least is not None and self.at_least > self.metric.maximum:
            raise ValueError(f"impossible: {self.name} is never above {self.metric.maximum:g}")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"impossible: at_least {self.at_least:g} is above at_most {self.at_most:g}")
        return self

    @property
    def bounds(self) -> tuple[float, ...]:
        """The one or two values that are not to be passed."""
        return tuple(bound for bound in (self.at_least, self.at_most) if bound is not None)

    @property
    def limits(self) -> str:
        """For messages: `at most 40`, `at least 0.5`, `at least 1 and at most 2`."""
        parts = (("at least", self.at_least), ("at most", self.at_most))
        return " and ".join(f"{words} {bound:g}" for words, bound in parts if bound is not None)

    def holds(self, value: float) -> bool:
        """False for NaN: what cannot be compared does not keep a limit."""
        above = self.at_least is None or value >= self.at_least
        below = self.at_most is None or value <= self.at_most
        return above and below and not math.isnan(value)

    def violations(self, values: np.ndarray) -> np.ndarray:
        """By how much of the limit's own size each value exceeds it; 0 where the constraint holds, inf for NaN."""
        excess = np.zeros(len(values))
        if self.at_most is not None:
            excess = np.maximum(excess, (values - self.at_most) / self.at_most)
        if self.at_least is not None:
            excess = np.maximum(excess, (self.at_least - values) / (abs(self.at_least) or 1.0))
        return np.asarray(np.where(np.isnan(values), np.inf, excess))


def minimised(objectives: Sequence[Objective], metrics: Mapping[str, float]) -> np.ndarray | None:
    """The candidate as a point, shape [objectives], every coordinate minimised; None while a metric is missing."""
    values = [metrics.get(objective.key) for objective in objectives]
    if any(value is None for value in values):
        return None
    signs = np.array([objective.sign for objective in objectives])
    return np.asarray(np.array(values, dtype=np.float64) * signs)


def violation(constraints: Sequence[Constraint], metrics: Mapping[str, float]) -> float | None:
    """Sum of the relative violations: 0 is feasible. None while no constraint is broken and some metric is missing.

    A broken constraint decides at once, whatever is still missing.
    """
    known = [(constraint, metrics[constraint.key]) for constraint in constraints if constraint.key in metrics]
    total = math.fsum(float(constraint.violations(np.array([value]))[0]) for constraint, value in known)
    return None if total == 0.0 and len(known) < len(constraints) else total


def cost_first(objectives: Sequence[Objective]) -> tuple[Objective, ...]:
    """A cost, then a quality, then a third, as people expect to see a front: cost to the right, quality upwards.

    Of two costs the one that a device tells comes first. Without a quality the last of the costs stands for it.
    """
    quality = next((each for each in objectives if each.goal is Goal.MAXIMIZE), objectives[-1])
    costs = [each for each in objectives if each is not quality]
    costs.sort(key=lambda each: each.device is None)
    return (*costs[:1], quality, *costs[1:])
