"""What every model of a metric can do."""

from typing import Protocol

import numpy as np

from paretofarm.described import Inputs
from paretofarm.surrogates.gaussian_process import Prediction


class Model(Protocol):
    """Of one metric, on its own scale, fitted to observations."""

    def predict(self, inputs: Inputs) -> Prediction: ...

    def believe(self, inputs: Inputs) -> None:
        """Takes its own predictions for observed."""

    def left_out(self) -> np.ndarray:
        """What the others predict of each observation, [observations]."""
