"""How good predictions are: every score comes from one confusion matrix over a whole split, never from averages over
batches (a class that a batch lacks would count as perfect there: a true mIoU of 0.504 was reported as 0.862).

Trainings and phones are scored by this code alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from paretofarm.task import Task

Counts = npt.NDArray[np.int64]
"""Pixels by [label, prediction]; of a classification an image is one pixel."""
Tally = npt.NDArray[np.int64]
"""Pixels by [class, (right, labelled, predicted)]: all that a score needs of a confusion matrix."""


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class; `pixels` is how many the labels have."""

    iou: float
    f1: float
    pixels: int


@dataclass(frozen=True)
class Scores:
    """miou and f1 are means over the classes that occur in the labels or the predictions; others have no score.

    A class that is predicted although no label has it scores 0. All are 0 where there is no labelled pixel at all.
    """

    miou: float
    f1: float
    accuracy: float
    per_class: Mapping[str, ClassScores | None]

    def overall(self, task: Task) -> dict[str, float]:
        """Those of all classes together, by the task's own names."""
        return {name: getattr(self, field) for name, field in task.scores.items()}

    def main(self, task: Task) -> float:
        """The one that networks are judged by."""
        return self.overall(task)[task.judged_by]


def count(labels: npt.NDArray[Any], predictions: npt.NDArray[Any], *, classes: int, ignore_index: int) -> Counts:
    """The confusion matrix of class ids of any equal shape; pixels labelled `ignore_index` count nowhere."""
    flat = labels.astype(np.int64).ravel()
    pairs = (flat * classes + predictions.astype(np.int64).ravel())[flat != ignore_index]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes).astype(np.int64)


def tally(counts: Counts) -> Tally:
    return np.stack([np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)], axis=1)


def score(counts: Counts, class_names: Sequence[str]) -> Scores:
    """Scores of a confusion matrix."""
    return score_tally(tally(counts), class_names)


def score_tally(pixels: Tally, class_names: Sequence[str]) -> Scores:
    """The same of what was counted by class."""
    right, labelled, predicted = pixels.T
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
    return Scores(
        miou=_mean([scores.iou for scores in present]),
        f1=_mean([scores.f1 for scores in present]),
        accuracy=float(right.sum() / max(1, labelled.sum())),
        per_class=per_class,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
