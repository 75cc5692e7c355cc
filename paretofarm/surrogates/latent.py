"""The scale on which a metric is modelled: errors and times by their logarithms, no outlier outweighs the rest."""

from dataclasses import dataclass

import numpy as np

_WORSE, _BETTER = 3.0, 2.5
"""Interquartile ranges beyond the median that still count: how bad a useless network is exactly teaches nothing."""


@dataclass(frozen=True)
class Latent:
    """A monotone map between a metric, minimised, and what its model sees.

    limit: the best possible value where there is one (-1 for an accuracy that is maximised): the distance to it is what
    is taken the logarithm of. None: the values as they are. low, high: the model sees nothing beyond.
    """

    limit: float | None
    low: float
    high: float

    @classmethod
    def of(cls, values: np.ndarray, limit: float | None, bounds: np.ndarray) -> "Latent":
        """For observed values [observations], minimised; bounds: values [any] that stay well within what is seen."""
        seen = _forward(values, limit)
        quartiles = np.quantile(seen, [0.25, 0.5, 0.75])
        spread = float(quartiles[2] - quartiles[0]) or float(np.ptp(seen)) or 1.0
        edges = _forward(bounds, limit)
        low = min([float(quartiles[1]) - _BETTER * spread, *(edges - spread).tolist()])
        high = max([float(quartiles[1]) + _WORSE * spread, *(edges + spread).tolist()])
        return cls(limit, low, high)

    def forward(self, values: np.ndarray) -> np.ndarray:
        """What the model sees of values [...]."""
        return np.asarray(np.clip(_forward(values, self.limit), self.low, self.high))

    def error(self, values: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """What small errors [...] of values [...] are on the model's scale (to the first order)."""
        return errors if self.limit is None else np.asarray(errors / np.maximum(values - self.limit, 1e-9))

    def exact(self, value: float) -> float:
        """Of one value, wherever it is."""
        return float(_forward(np.array(value), self.limit))

    def backward(self, latent: np.ndarray) -> np.ndarray:
        """Values of what the model says [...]."""
        return latent if self.limit is None else np.exp(latent) + self.limit


def _forward(values: np.ndarray, limit: float | None) -> np.ndarray:
    return values if limit is None else np.log(np.maximum(values - limit, 1e-9))
