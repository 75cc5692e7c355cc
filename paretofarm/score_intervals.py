"""How sure a score is, by the bootstrap over images (Efron 1979): what it might be with as many other images.

Pixels of one image are no independent samples, images are: from the number of pixels an interval would be far too
narrow.
"""

import numpy as np
import numpy.typing as npt

from paretofarm.partial_scores import Tallies
from paretofarm.task import Task

LEAST = 10
"""Images. Of fewer an interval would be too narrow to be believed."""
RESAMPLES = 2000
AT_ONCE = 200
CONFIDENCE = 0.95
Scores = npt.NDArray[np.float64]


def score_intervals(tallies: Tallies, rng: np.random.Generator, task: Task) -> dict[str, tuple[float, float]]:
    """The middle 95 % of what each score is over images drawn with replacement, by name; empty for a few images.

    Each contains the score itself: classes that few images have can shift the resamples to one side.
    """
    images, classes, _ = tallies.shape
    if images < LEAST or not tallies[:, :, 1].any():
        return {}
    flat = tallies.reshape(images, -1).astype(np.float64)
    drawn = [
        _scores((rng.multinomial(images, np.full(images, 1 / images), AT_ONCE) @ flat).reshape(-1, classes, 3))
        for _ in range(RESAMPLES // AT_ONCE)
    ]
    itself = _scores(tallies.sum(axis=0)[None].astype(np.float64))
    tail = (1 - CONFIDENCE) / 2
    return {
        name: _around(float(itself[field][0]), np.concatenate([each[field] for each in drawn]), tail)
        for name, field in task.scores.items()
    }


def _around(value: float, resampled: Scores, tail: float) -> tuple[float, float]:
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return min(float(low), value), max(float(high), value)


def _scores(tallies: Scores) -> dict[str, Scores]:
    """Of each resample, shape [resamples, classes, 3]: as `paretofarm.scores` has them."""
    right, labelled, predicted = np.moveaxis(tallies, 2, 0)
    union = labelled + predicted - right
    occurs = union > 0
    count = np.maximum(occurs.sum(axis=1), 1)
    iou = np.divide(right, union, out=np.zeros_like(right), where=occurs)
    f1 = np.divide(2 * right, labelled + predicted, out=np.zeros_like(right), where=occurs)
    return {
        "miou": iou.sum(axis=1) / count,
        "f1": f1.sum(axis=1) / count,
        "accuracy": right.sum(axis=1) / np.maximum(labelled.sum(axis=1), 1),
    }
