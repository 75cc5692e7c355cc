"""What is believed of a search's metrics: models of each that has to be paid for, known values for the others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from paretofarm.described import Inputs
from paretofarm.metrics import METRICS
from paretofarm.rank_correlation import spearman
from paretofarm.surrogates.cokriging import CoKriging
from paretofarm.surrogates.gaussian_process import GaussianProcess
from paretofarm.surrogates.latent import Latent, Scale
from paretofarm.surrogates.model import Model
from paretofarm.surrogates.opinion import Opinion

LEAST = 6
"""Observations below which nothing is modelled."""
_KINDS = {
    1.0: ((Scale.LOGARITHM, False), (Scale.ROOT, True)),
    -1.0: ((Scale.LOGARITHM, False), (Scale.LOGARITHM, True)),
}
"""By sign: scale and trend of each opinion. Of times and sizes layers add up; of what accuracies lack they do not."""


@dataclass
class Belief:
    """Opinions of one metric, all worth the same; sign: what makes it something to minimise.

    Which scale a metric follows, and whether its trend goes on, a few dozen observations do not tell: one model alone
    is surer than it may be (docs/decisions.md has the figures).
    skill: rank correlation (Spearman) of what is predicted of each observation from all others with what it is.
    """

    key: str
    sign: float
    opinions: tuple[Opinion, ...]
    observations: int
    skill: float

    def draws(self, inputs: Inputs) -> np.ndarray:
        """Minimised values at the quadrature's nodes for each opinion, [rows, opinions × nodes]."""
        return np.concatenate([opinion.draws(inputs) for opinion in self.opinions], axis=1)

    def mean(self, inputs: Inputs) -> np.ndarray:
        """The mean of the opinions' medians: of the minimised values, [rows]."""
        return np.asarray(np.mean([opinion.median(inputs) for opinion in self.opinions], axis=0))

    def probability(self, inputs: Inputs, at_least: float | None, at_most: float | None) -> np.ndarray:
        """That the metric itself, not minimised, is within the bounds; [rows]."""
        low, high = (None if bound is None else self.sign * bound for bound in (at_least, at_most))
        bounds = (low, high) if self.sign > 0 else (high, low)
        return np.asarray(np.mean([opinion.probability(inputs, *bounds) for opinion in self.opinions], axis=0))

    def suppose(self, inputs: Inputs) -> None:
        """Each opinion takes its own predictions for observed."""
        for opinion in self.opinions:
            opinion.model.believe(inputs)


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
    hint: Hint | None = None,
) -> Belief | None:
    """Of the metric from its observed values [rows]; None for too few, or where all are equal.

    bounds: values that must be told from what is beyond them. errors: standard deviations [rows] of the measurements
    behind the values, 0 where nothing is known of it. hint: what fewer epochs told.
    """
    if len(values) < LEAST or np.ptp(values) == 0.0:
        return None
    observed = sign * values
    opinions = []
    for place, (scale, trend) in enumerate(_KINDS[sign]):
        latent = Latent.of(observed, _limit(key, sign), sign * np.array(bounds), scale)
        noise = None if errors is None else latent.error(observed, errors) ** 2
        earlier = None if hint is None else (hint.belief.opinions[place], sign * hint.values)
        opinions.append(Opinion(latent, _model(inputs, latent.forward(observed), noise, earlier, trend=trend)))
    told = np.mean([opinion.left_out() for opinion in opinions], axis=0)
    return Belief(key, sign, tuple(opinions), len(observed), spearman(told, observed))


def _model(
    inputs: Inputs,
    seen: np.ndarray,
    noise: np.ndarray | None,
    earlier: tuple[Opinion, np.ndarray] | None,
    *,
    trend: bool,
) -> Model:
    """earlier: the opinion of the metric after fewer epochs, and its minimised values [rows]."""
    if earlier is None:
        return GaussianProcess(inputs, seen, noise, trend=trend)
    opinion, few = earlier
    return CoKriging(opinion.model, inputs, opinion.latent.forward(few), seen, noise)


def _limit(key: str, sign: float) -> float | None:
    """The best possible value of the metric once it is minimised; None where it has none."""
    metric = METRICS[key.partition("@")[0]]
    if sign > 0:
        return 0.0
    return -metric.maximum if np.isfinite(metric.maximum) else None
