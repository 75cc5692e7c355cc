"""How fast a device class will run architectures that it has not run yet, from those that it has."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from paretofarm.described import Inputs
from paretofarm.history import History
from paretofarm.search_space import SearchSpace
from paretofarm.sensitivity import NORMAL_QUANTILE
from paretofarm.surrogates.described_members import rows_of, spread
from paretofarm.surrogates.gaussian_process import GaussianProcess

LEAST = 10
"""Measurements below which nothing is predicted."""
MOST = 400
"""That a model rests on, evenly spread over all: it costs their cube."""


@dataclass(frozen=True)
class Forecast:
    """Of so many architectures, ms: float64 [rows] each; low, high: 95 % intervals."""

    latency_ms: np.ndarray
    low_ms: np.ndarray
    high_ms: np.ndarray


def learn(history: History, space: SearchSpace, key: str) -> "LatencyPredictor | None":
    """From all that a history tells of the latency under that key, of other searches where there is room."""
    own = spread([member for member in history.members if key in member.metrics], MOST)
    others = [member for member in (*history.observations, *history.measured) if key in member.metrics]
    members = [*spread(others, MOST - len(own)), *own]
    if len(members) < LEAST:
        return None
    rows = rows_of(history, space, members)
    inputs = Inputs.of([rows[member.number] for member in members])
    latencies = np.array([member.metrics[key] for member in members])
    widths = np.array([np.ptp(member.intervals.get(key, (0.0, 0.0))) for member in members])
    return LatencyPredictor.fit(inputs, latencies, widths / (2 * NORMAL_QUANTILE))


class LatencyPredictor:
    """A Gaussian process over the square roots of latencies; immutable. measurements: that it rests on.

    Layers' times add up, and errors grow with the latency: between the two, where a network of next to no time (one
    whose input does not reach its output) is no outlier.
    """

    def __init__(self, model: GaussianProcess, measurements: int) -> None:
        self._model = model
        self.measurements = measurements

    @classmethod
    def fit(cls, inputs: Inputs, latencies_ms: np.ndarray, errors_ms: np.ndarray) -> "LatencyPredictor | None":
        """From measurements [rows] with their standard deviations; None for too few, or where all are equal."""
        places = np.unique(np.linspace(0, len(inputs) - 1, min(len(inputs), MOST)).astype(np.int64))
        seen = np.sqrt(latencies_ms[places])
        if len(places) < LEAST or np.ptp(seen) == 0.0:
            return None
        return cls(GaussianProcess(inputs[places], seen, (errors_ms[places] / (2 * seen)) ** 2), len(places))

    def forecast(self, inputs: Inputs) -> Forecast:
        found = self._model.predict(inputs)
        half = NORMAL_QUANTILE * found.deviation
        return Forecast(*(np.maximum(root, 0.0) ** 2 for root in (found.mean, found.mean - half, found.mean + half)))

    def probability(self, inputs: Inputs, at_least: float | None, at_most: float | None) -> np.ndarray:
        """That the latency is within the bounds, ms; [rows]."""
        found = self._model.predict(inputs)
        below = 1.0 if at_most is None else ndtr((np.sqrt(max(at_most, 0.0)) - found.mean) / found.deviation)
        under = 0.0 if at_least is None else ndtr((np.sqrt(max(at_least, 0.0)) - found.mean) / found.deviation)
        return np.asarray(np.clip(below - under, 0.0, 1.0) * np.ones(len(inputs)))
