"""Class weights: what they are for a split whose shares are known."""

import numpy as np
import pytest
import torch

from workers.datasets import IGNORE_INDEX, ImageMaskArrays
from workers.training.class_weights import inverse_sqrt_weights


def split_of(*masks: np.ndarray) -> ImageMaskArrays:
    stacked = np.stack(masks)
    return ImageMaskArrays(np.zeros((*stacked.shape, 3), np.uint8), stacked, tuple(map(str, range(len(masks)))))


def mask_of(*counts: int) -> np.ndarray:
    """A 10 x 10 mask with so many pixels of each class, the rest ignored."""
    labels = np.repeat(np.arange(len(counts)), counts)
    return np.concatenate([labels, np.full(100 - len(labels), IGNORE_INDEX)]).astype(np.uint8).reshape(10, 10)


def test_a_class_with_a_quarter_of_the_pixels_weighs_twice_as_much() -> None:
    weights = inverse_sqrt_weights(split_of(mask_of(80, 20)), 2, ignore_index=IGNORE_INDEX)
    assert float(weights[1] / weights[0]) == pytest.approx(2, rel=1e-3)


def test_the_mean_over_all_labelled_pixels_is_one() -> None:
    weights = inverse_sqrt_weights(split_of(mask_of(50, 5, 20)), 3, ignore_index=IGNORE_INDEX)
    assert float((weights * torch.tensor([50, 5, 20]) / 75).sum()) == pytest.approx(1)


def test_a_class_that_is_never_seen_gets_a_finite_weight() -> None:
    weights = inverse_sqrt_weights(split_of(mask_of(90, 0)), 2, ignore_index=IGNORE_INDEX)
    assert torch.isfinite(weights).all()
    assert weights[1] > 10 * weights[0]
