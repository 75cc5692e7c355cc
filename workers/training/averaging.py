"""A moving average of a network's weights, which is better than the weights of any one step."""

import copy

import torch
from torch import nn


class AveragedWeights:
    """Averages exponentially, by `decay` at most: after t steps by (1 + t) / (10 + t), for beginnings are worth little.

    What else a network holds, such as normalisation's statistics, is not averaged: they are estimated anew before
    anybody evaluates `network`.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False)
        self._decay = decay

    def update(self, network: nn.Module, step: int) -> None:
        """step: how many there were before."""
        decay = min(self._decay, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.network.parameters()), list(network.parameters()), 1 - decay)
