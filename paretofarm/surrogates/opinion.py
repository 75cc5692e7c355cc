"""One model of a metric, on the scale that it was fitted on, and what it says in the metric's own values."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from paretofarm.described import Inputs
from paretofarm.surrogates.improvement import NODES
from paretofarm.surrogates.latent import Latent
from paretofarm.surrogates.model import Model


@dataclass(frozen=True)
class Opinion:
    """All values minimised; rows in, [rows] or [rows, nodes] out."""

    latent: Latent
    model: Model

    def draws(self, inputs: Inputs) -> np.ndarray:
        """Values at the quadrature's nodes, [rows, nodes]."""
        prediction = self.model.predict(inputs)
        return self.latent.backward(prediction.mean[:, None] + prediction.deviation[:, None] * NODES)

    def median(self, inputs: Inputs) -> np.ndarray:
        return self.latent.backward(self.model.predict(inputs).mean)

    def probability(self, inputs: Inputs, low: float | None, high: float | None) -> np.ndarray:
        """That the value is within the bounds."""
        prediction = self.model.predict(inputs)
        below, under = (
            default if bound is None else ndtr((self.latent.exact(bound) - prediction.mean) / prediction.deviation)
            for bound, default in ((high, 1.0), (low, 0.0))
        )
        return np.asarray(np.clip(below - under, 0.0, 1.0) * np.ones(len(inputs)))

    def left_out(self) -> np.ndarray:
        """What is expected of each observation from all others, [observations]."""
        return self.latent.backward(self.model.left_out())
