"""The scale on which a metric is modelled: errors and times by logarithms or roots, no outlier outweighs the rest."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

_WORSE, _BETTER = 3.0, 2.5
"""Interquartile ranges beyond the median that still count: how bad a useless network is exactly teaches nothing."""


class Scale(Enum):
    """Of the distance to the best possible value. Logarithms where effects multiply; roots where they add up and errors
    grow with them."""

    LOGARITHM = "logarithm"
    ROOT = "root"


@dataclass(frozen=True)
class Latent:
    """A monotone map between a metric, minimised, and what its model sees.

    limit: the best possible value where there is one (-1 for an accuracy that is maximised): the distance to it is what
    the scale is of. None: the values as they are. low, high: the model sees nothing beyond.
    """

    limit: float | None
    low: float
    high: float
    scale: Scale = Scale.LOGARITHM

    @classmethod
    def of(
        cls, values: np.ndarray, limit: float | None, bounds: np.ndarray, scale: Scale = Scale.LOGARITHM
    ) -> "Latent":
        """For observed values [observations], minimised; bounds: values [any] that stay well within what is seen."""
        whole = cls(limit, -np.inf, np.inf, scale)
        seen, edges = whole.forward(values), whole.forward(bounds)
        quartiles = np.quantile(seen, [0.25, 0.5, 0.75])
        spread = float(quartiles[2] - quartiles[0]) or float(np.ptp(seen)) or 1.0
        low = min([float(quartiles[1]) - _BETTER * spread, *(edges - spread).tolist()])
        high = max([float(quartiles[1]) + _WORSE * spread, *(edges + spread).tolist()])
        return cls(limit, low, high, scale)

    def forward(self, values: np.ndarray) -> np.ndarray:
        """What the model sees of values [...]."""
        return np.asarray(np.clip(self._forward(values), self.low, self.high))

    def error(self, values: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """What small errors [...] of values [...] are on the model's scale (to the first order)."""
        if self.limit is None:
            return errors
        distances = np.maximum(values - self.limit, 1e-9)
        return np.asarray(errors / (2.0 * np.sqrt(distances) if self.scale is Scale.ROOT else distances))

    def exact(self, value: float) -> float:
        """Of one value, wherever it is."""
        return float(self._forward(np.array(value)))

    def backward(self, latent: np.ndarray) -> np.ndarray:
        """Values of what the model says [...]."""
        if self.limit is None:
            return latent
        distances = np.maximum(latent, 0.0) ** 2 if self.scale is Scale.ROOT else np.exp(latent)
        return np.asarray(distances + self.limit)

    def _forward(self, values: np.ndarray) -> np.ndarray:
        if self.limit is None:
            return values
        distances = np.maximum(values - self.limit, 1e-9)
        return np.sqrt(distances) if self.scale is Scale.ROOT else np.log(distances)
