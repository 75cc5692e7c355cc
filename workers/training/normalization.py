"""Batch-norm statistics worth evaluating with, after however few steps."""

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from workers.datasets import ImageMaskArrays
from workers.training.batches import Batches, spread
from workers.training.resident import ResidentSplit

IMAGES = 128


def estimate_statistics(
    network: nn.Module, split: ImageMaskArrays | ResidentSplit, batch_size: int, device: torch.device
) -> None:
    """Replaces running means and variances by averages over images spread evenly over the split,
    of a classification over each class.

    The running averages lag behind the weights: after 32 steps at a learning rate of 2e-3 a network that truly has
    an mIoU of 0.63 showed 0.09 (after 128 steps there is no difference). Eight batches of 16 were as good as 32.
    """
    layers = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
    network.train()
    with torch.no_grad():
        for images, _ in Batches(split, batch_size, device).read(_chosen(split, batch_size)):
            network(images)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


def _chosen(split: ImageMaskArrays | ResidentSplit, batch_size: int) -> list[np.ndarray]:
    """Whole batches only, as in training."""
    batches = max(1, min(len(split), IMAGES) // batch_size)
    return np.array_split(spread(split, batches * batch_size), batches)
