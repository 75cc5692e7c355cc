"""Weights that let small classes count in the loss: without them a short training learns the large ones only."""

import numpy as np
import torch

from paretofarm.apart import apart
from workers.datasets import ImageMaskArrays

SAMPLE = 256
"""Masks looked at, spread evenly over the split; more would change the shares by less than the weights' effect. Where a
mask is one class, all are."""
SMOOTHING = 1e-4
"""Share added to every class, so that one that the sample misses gets a large weight, not an infinite one."""


def inverse_sqrt_weights(split: ImageMaskArrays, classes: int, *, ignore_index: int) -> torch.Tensor:
    """One float32 weight per class, 1/√(share of the labels), scaled so that the mean over all labels is 1."""
    sample = len(split) if split.masks[0].size == 1 else min(len(split), SAMPLE)
    counts = np.zeros(256, dtype=np.int64)
    for index in apart(len(split), sample):
        counts += np.bincount(split.masks[index].ravel(), minlength=256)
    counts[ignore_index] = 0
    shares = counts[:classes] / max(1, counts[:classes].sum())
    weights = 1 / np.sqrt(shares + SMOOTHING)
    return torch.from_numpy(weights / (weights * shares).sum()).float()
