"""Optimizers and learning-rate schedules by the names that experiment files use."""

import math

import torch
from torch import nn

from paretofarm.training import SegmentationTraining


def make_optimizer(network: nn.Module, settings: SegmentationTraining) -> torch.optim.Optimizer:
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    # One fused kernel for all parameters: many small ones are what candidates have.
    return kind(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True)


def set_learning_rate(optimizer: torch.optim.Optimizer, settings: SegmentationTraining, progress: float) -> None:
    """progress in [0, 1): share of *all planned* steps (to the last rung) that lie behind, so a rung can be resumed."""
    rate = settings.learning_rate
    if settings.lr_schedule == "cosine":
        rate *= 0.5 * (1 + math.cos(math.pi * progress))
    for group in optimizer.param_groups:
        group["lr"] = rate
