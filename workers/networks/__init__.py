"""Architectures as torch networks: which module builds the members of which search space."""

from torch import nn

from paretofarm.architecture import Architecture
from paretofarm.errors import BuildFailed
from paretofarm.spaces import SearchSpaceSettings
from paretofarm.spaces.plan import plan_network
from paretofarm.spaces.skeleton import HourglassSkeleton
from workers.networks.counts import count_macs, count_parameters
from workers.networks.hourglass import HourglassNetwork

__all__ = ["build_network", "count_macs", "count_parameters"]


def build_network(settings: SearchSpaceSettings, architecture: Architecture, classes: int) -> nn.Module:
    """The network, in training mode, freshly initialised from torch's global generator.

    Takes float32 [N, 3, side, side] in [0, 1], gives logits [N, classes, side, side], side = `settings.input_size`.
    ArchitectureError where the architecture is not a member of the space; BuildFailed where the space is one that is
    known from tables alone.
    """
    if not isinstance(settings, HourglassSkeleton):
        raise BuildFailed(f"search space {settings.type} has no networks")
    return HourglassNetwork(plan_network(settings, architecture), classes)
