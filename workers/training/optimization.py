"""Optimizers and learning-rate schedules by the names that experiment files use."""

import math
from typing import Any

import torch
from torch import nn

from paretofarm.training import NetworkTraining

LONGEST_WARMUP = 0.25
"""Share of the plan: a short training must not end before it has begun."""
FIRST_RATE = 0.05
"""Share of the learning rate that a warm-up begins with."""


def make_optimizer(network: nn.Module, settings: NetworkTraining) -> torch.optim.Optimizer:
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    # One fused kernel for all parameters: many small ones are what candidates have.
    return kind(_groups(network, settings), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True)


def set_learning_rate(optimizer: torch.optim.Optimizer, settings: NetworkTraining, progress: float) -> None:
    """progress in [0, 1): share of *all planned* steps (to the last rung) that lie behind, so a rung can be resumed."""
    rate = settings.learning_rate * _share(settings, progress)
    for group in optimizer.param_groups:
        group["lr"] = rate


def _groups(network: nn.Module, settings: NetworkTraining) -> list[dict[str, Any]]:
    parameters = list(network.parameters())
    if settings.weight_decay_on == "all":
        return [{"params": parameters}]
    kernels = [parameter for parameter in parameters if parameter.ndim > 1]
    others = [parameter for parameter in parameters if parameter.ndim <= 1]
    return [{"params": kernels}, {"params": others, "weight_decay": 0.0}]


def _share(settings: NetworkTraining, progress: float) -> float:
    """Of the learning rate, at this point of the plan."""
    warmup = min(settings.warmup_epochs / settings.epochs[-1], LONGEST_WARMUP)
    if progress < warmup:
        return FIRST_RATE + (1 - FIRST_RATE) * progress / warmup
    if settings.lr_schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))
    return 1.0
