"""What is believed of a search's metrics: a model for each that has to be paid for, known values for the others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from paretofarm.described import Inputs
from paretofarm.metrics import METRICS
from paretofarm.rank_correlation import spearman
from paretofarm.surrogates.cokriging import CoKriging
from paretofarm.surrogates.gaussian_process import GaussianProcess, Prediction
from paretofarm.surrogates.improvement import NODES
from paretofarm.surrogates.latent import Latent
from paretofarm.surrogates.model import Model

LEAST = 6
"""Observations below which nothing is modelled."""


@dataclass
class Belief:
    """A model of one metric; sign: what makes it something to minimise.

    skill: rank correlation (Spearman) of what is predicted of each observation from all others with what it is.
    """

    key: str
    sign: float
    latent: Latent
    model: Model
    observations: int
    skill: float

    def draws(self, inputs: Inputs) -> np.ndarray:
        """Minimised values at the quadrature's nodes, [rows, nodes]."""
        prediction = self.model.predict(inputs)
        return self.latent.backward(prediction.mean[:, None] + prediction.deviation[:, None] * NODES)

    def mean(self, inputs: Inputs) -> np.ndarray:
        """The median, strictly: of the minimised values, [rows]."""
        return self.latent.backward(self.model.predict(inputs).mean)

    def probability(self, inputs: Inputs, at_least: float | None, at_most: float | None) -> np.ndarray:
        """That the metric itself, not minimised, is within the bounds; [rows]."""
        prediction = self.model.predict(inputs)
        low, high = (at_least, at_most) if self.sign > 0 else (at_most, at_least)
        below = 1.0 if high is None else _normal(prediction, self.latent.exact(self.sign * high))
        under = 0.0 if low is None else _normal(prediction, self.latent.exact(self.sign * low))
        return np.asarray(np.clip(below - under, 0.0, 1.0) * np.ones(len(inputs)))


@dataclass(frozen=True)
class Hint:
    """The same metric after fewer epochs: what is believed of it, and its values [rows] of those trained further."""

    belief: Belief
    values: np.ndarray


def believe(
    key: str,
    sign: float,
    values: np.ndarray,
    inputs: Inputs,
    bounds: Sequence[float] = (),
    errors: np.ndarray | None = None,
    hint: "Hint | None" = None,
) -> Belief | None:
    """A model of the metric from its observed values [rows]; None for too few, or where all are equal.

    bounds: values that must be told from what is beyond them. errors: standard deviations [rows] of the measurements
    behind the values, 0 where nothing is known of it. hint: what fewer epochs told.
    """
    if len(values) < LEAST:
        return None
    latent = Latent.of(sign * values, _limit(key, sign), sign * np.array(bounds))
    seen = latent.forward(sign * values)
    if np.ptp(seen) == 0.0:
        return None
    noise = None if errors is None else latent.error(sign * values, errors) ** 2
    model: Model = GaussianProcess(inputs, seen, noise)
    if hint is not None:
        few = hint.belief.latent.forward(sign * hint.values)
        model = CoKriging(hint.belief.model, inputs, few, seen, noise)
    return Belief(key, sign, latent, model, len(seen), spearman(model.left_out(), seen))


def _normal(prediction: Prediction, bound: float) -> np.ndarray:
    return np.asarray(ndtr((bound - prediction.mean) / prediction.deviation))


def _limit(key: str, sign: float) -> float | None:
    """The best possible value of the metric once it is minimised; None where it has none."""
    metric = METRICS[key.partition("@")[0]]
    if sign > 0:
        return 0.0
    return -metric.maximum if np.isfinite(metric.maximum) else None
