"""The confusion matrix of a training, counted where its tensors are; `paretofarm.scores` judges it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from paretofarm.scores import Scores, score


class ConfusionMatrix:
    """Counts pixels by (label, prediction); pixels labelled `ignore_index` count nowhere.

    Stays on the device of what it is given until the scores are asked for.
    """

    def __init__(self, classes: int, *, ignore_index: int, device: str | torch.device = "cpu") -> None:
        self._classes = classes
        self._ignore_index = ignore_index
        self._counts = torch.zeros(classes * classes, dtype=torch.int64, device=device)

    def add(self, labels: torch.Tensor, predictions: torch.Tensor) -> None:
        """Class ids of any equal shape, of any integer type."""
        labels = labels.long().flatten()
        pairs = labels * self._classes + predictions.long().flatten()
        pairs = pairs[labels != self._ignore_index]
        self._counts += torch.bincount(pairs, minlength=self._classes**2)

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """[label, prediction]."""
        counts: npt.NDArray[np.int64] = self._counts.cpu().numpy().reshape(self._classes, self._classes)
        return counts

    def scores(self, class_names: Sequence[str]) -> Scores:
        return score(self.counts, class_names)
