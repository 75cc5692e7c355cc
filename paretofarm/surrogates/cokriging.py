"""What little training tells of much: co-kriging of a metric after few and after many epochs."""

import numpy as np

from paretofarm.described import Inputs
from paretofarm.surrogates.gaussian_process import GaussianProcess, Prediction
from paretofarm.surrogates.model import Model


class CoKriging:
    """The metric after many epochs is a multiple of that after few, and a rest which is modelled for itself (Kennedy
    and O'Hagan 2000; taken level by level as in Le Gratiet and Garnier 2014, eq. 3).

    few: the model of the metric after few epochs, on its own scale; inputs, after_few, after_many [rows]: of those that
    were trained further, on the scales of the two models; noise as for GaussianProcess.
    """

    def __init__(
        self, few: Model, inputs: Inputs, after_few: np.ndarray, after_many: np.ndarray, noise: np.ndarray | None = None
    ) -> None:
        self._few = few
        self._slope = _slope(after_few, after_many)
        self._after_few = after_few
        self._rest = GaussianProcess(inputs, after_many - self._slope * after_few, noise)

    def predict(self, inputs: Inputs) -> Prediction:
        few, rest = self._few.predict(inputs), self._rest.predict(inputs)
        deviation = np.hypot(self._slope * few.deviation, rest.deviation)
        return Prediction(self._slope * few.mean + rest.mean, deviation)

    def believe(self, inputs: Inputs) -> None:
        self._few.believe(inputs)
        self._rest.believe(inputs)

    def left_out(self) -> np.ndarray:
        """What is predicted of each that was trained further from all others and from its own few epochs, [rows]."""
        return np.asarray(self._slope * self._after_few + self._rest.left_out())


def _slope(after_few: np.ndarray, after_many: np.ndarray) -> float:
    """By least squares; 0 where more after few epochs does not mean more after many."""
    spread = float(after_few.var())
    if spread == 0.0:
        return 0.0
    return max(0.0, float(np.mean((after_few - after_few.mean()) * (after_many - after_many.mean()))) / spread)
