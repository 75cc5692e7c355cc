"""How good a segmentation is: every score comes from one confusion matrix over a whole split, never from averages
over batches (a class that a batch lacks would count as perfect there: a true mIoU of 0.504 was reported as 0.862).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class; `pixels` is how many the labels have."""

    iou: float
    f1: float
    pixels: int


@dataclass(frozen=True)
class SegmentationScores:
    """miou and f1 are means over the classes that occur in the labels or the predictions; others have no score.

    A class that is predicted although no label has it scores 0. All are 0 where there is no labelled pixel at all.
    """

    miou: float
    f1: float
    pixel_accuracy: float
    per_class: dict[str, ClassScores | None]


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

    def scores(self, class_names: Sequence[str]) -> SegmentationScores:
        return score(self.counts, class_names)


def score(counts: npt.NDArray[np.int64], class_names: Sequence[str]) -> SegmentationScores:
    """Scores of a confusion matrix [label, prediction]."""
    right = np.diag(counts)
    labelled, predicted = counts.sum(axis=1), counts.sum(axis=0)
    union = labelled + predicted - right
    per_class = {
        name: ClassScores(
            float(right[i] / union[i]), float(2 * right[i] / (labelled[i] + predicted[i])), int(labelled[i])
        )
        if union[i]
        else None
        for i, name in enumerate(class_names)
    }
    present = [scores for scores in per_class.values() if scores is not None]
    return SegmentationScores(
        miou=_mean([scores.iou for scores in present]),
        f1=_mean([scores.f1 for scores in present]),
        pixel_accuracy=float(right.sum() / max(1, counts.sum())),
        per_class=per_class,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
