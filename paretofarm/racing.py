"""Members of a front whose place is in doubt are measured again, until it is not or enough has been measured."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from paretofarm.doubt import undominated
from paretofarm.history import History, Member
from paretofarm.metrics import LATENCY, metric_key
from paretofarm.objective import Objective
from paretofarm.sensitivity import NORMAL_QUANTILE
from paretofarm.strict import Strict

_SURE = 1e-9
"""The least relative error of a measurement: a table's has none, and weights are finite."""


class Racing(Strict):
    """At the end of a search, networks of which nobody can say whether one dominates the other, since the intervals of
    their latencies overlap, are measured again.

    measurements: at most so many of each network on a device class, the first included. candidates: at most so many
    networks, those with the most rivals first.
    """

    measurements: int = Field(3, ge=2, le=20)
    candidates: int = Field(50, ge=2, le=10_000)


@dataclass(frozen=True)
class Repeated:
    """A candidate that was measured more than once on a device class. given_up: it could not be measured again."""

    number: int
    device: str
    measurements: int
    given_up: bool = False


@dataclass(frozen=True)
class Contested:
    """A candidate to measure again on a device class, and those that it may dominate or be dominated by, for all that
    is known."""

    number: int
    device: str
    rivals: tuple[int, ...]


@dataclass(frozen=True)
class Interval:
    """A value above 0 and its 95 % interval."""

    value: float
    low: float
    high: float


def contested(history: History, racing: Racing, repeated: Sequence[Repeated]) -> list[Contested]:
    """Who is to be measured again, those with the most rivals first; depends on the arguments alone.

    The fronts of all device classes are looked at, each as it is shown: with the objectives of that class and those
    that are the same everywhere.
    """
    known = {(each.number, each.device): each for each in repeated}
    raced = {each.number for each in repeated}
    found: list[Contested] = []
    for each in sorted(_doubts(history), key=lambda each: (each.number not in raced, -len(each.rivals), each.number)):
        before = known.get((each.number, each.device))
        if before is not None and (before.given_up or before.measurements >= racing.measurements):
            continue
        if each.number in raced or len(raced) < racing.candidates:
            raced.add(each.number)
            found.append(each)
    return found


def pool(measurements: Sequence[Interval]) -> Interval:
    """What several measurements say together, one at least.

    On the scale of logarithms each weighs by its interval and by how far measurements differ beyond that (DerSimonian
    and Laird 1986): those that contradict each other make no narrower interval than they deserve.
    """
    values = np.log([each.value for each in measurements])
    widths = [math.log(each.high / each.low) / (2 * NORMAL_QUANTILE) for each in measurements]
    variances = np.maximum(widths, _SURE) ** 2
    weights = 1.0 / variances
    mean = (weights @ values) / weights.sum()
    excess = weights @ (values - mean) ** 2 - (len(values) - 1)
    scale = weights.sum() - (weights**2).sum() / weights.sum()
    between = max(0.0, float(excess / scale)) if len(values) > 1 else 0.0
    weights = 1.0 / (variances + between)
    value = float((weights @ values) / weights.sum())
    half = NORMAL_QUANTILE / math.sqrt(weights.sum())
    return Interval(math.exp(value), math.exp(value - half), math.exp(value + half))


def _doubts(history: History) -> Iterator[Contested]:
    """Everybody whose place is in doubt, on each device class."""
    for device in dict.fromkeys(each.device for each in history.objectives if each.name == LATENCY and each.device):
        objectives = [each for each in history.objectives if each.device in (None, device)]
        lows, highs = _reach(history.feasible, objectives, metric_key(LATENCY, device))
        places = undominated(lows, highs)
        rivals = _rivals(lows[places], highs[places])
        for place, others in zip(places.tolist(), rivals, strict=True):
            if others:
                numbers = tuple(history.feasible[places[other]].number for other in others)
                yield Contested(history.feasible[place].number, device, numbers)


def _reach(members: Sequence[Member], objectives: Sequence[Objective], key: str) -> tuple[np.ndarray, np.ndarray]:
    """Best and worst cases, minimised, [members, objectives]; measuring again says more of one metric only."""
    values = np.array([[each.metrics[objective.key] for objective in objectives] for each in members])
    values = values.reshape(len(members), len(objectives)) * [objective.sign for objective in objectives]
    lows, highs = values.copy(), values.copy()
    place = [objective.key for objective in objectives].index(key)
    sign = objectives[place].sign
    for row, member in enumerate(members):
        ends = (*(sign * end for end in member.intervals.get(key, ())), values[row, place])
        lows[row, place], highs[row, place] = min(ends), max(ends)
    return lows, highs


def _rivals(lows: np.ndarray, highs: np.ndarray) -> list[list[int]]:
    """Of each, places of those that it may dominate, or be dominated by, though nobody knows."""
    found: list[list[int]] = []
    for low, high in zip(lows, highs, strict=True):
        may = (low <= highs).all(axis=1) & (low < highs).any(axis=1)
        may_not = ~((high <= lows).all(axis=1) & (high < lows).any(axis=1))
        threatened = (lows <= high).all(axis=1) & (lows < high).any(axis=1)
        spared = ~((highs <= low).all(axis=1) & (highs < low).any(axis=1))
        found.append(np.flatnonzero((may & may_not) | (threatened & spared)).tolist())
    return [[other for other in others if other != place] for place, others in enumerate(found)]


def intervals_of(summaries: Sequence[Mapping[str, float]]) -> list[Interval]:
    """From stored summaries of measurements."""
    return [Interval(each["latency_ms"], each["low_ms"], each["high_ms"]) for each in summaries]
