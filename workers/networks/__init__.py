"""Architectures as torch networks: which module builds the members of which search space."""

from torch import nn

from paretofarm.architecture import Architecture
from paretofarm.errors import BuildFailed
from paretofarm.spaces import SearchSpaceSettings
from paretofarm.spaces.mobile_classifier import MobileClassifierSpace, plan_classifier
from paretofarm.spaces.plan import plan_network
from paretofarm.spaces.skeleton import HourglassSkeleton
from workers.networks.counts import count_activations, count_macs, count_parameters
from workers.networks.hourglass import HourglassNetwork
from workers.networks.mobile_classifier import MobileClassifier

__all__ = ["build_network", "count_activations", "count_macs", "count_parameters"]


def build_network(settings: SearchSpaceSettings, architecture: Architecture, classes: int) -> nn.Module:
    """The network, in training mode, freshly initialised from torch's global generator.

    Takes float32 [N, 3, side, side] in [0, 1], side = `settings.input_size`; gives logits [N, classes, side, side], or
    [N, classes, 1, 1] where the space's task is classification.
    ArchitectureError where the architecture is not a member of the space; BuildFailed where the space is one that is
    known from tables alone.
    """
    match settings:
        case HourglassSkeleton():
            return HourglassNetwork(plan_network(settings, architecture), classes)
        case MobileClassifierSpace():
            return MobileClassifier(plan_classifier(settings, architecture), classes)
        case _:
            raise BuildFailed(f"search space {settings.type} has no networks")
