"""What the core says that a network costs is what the built network costs, but for its classifier."""

import math

import numpy as np
import pytest

from paretofarm.spaces import HourglassMobileSpace, HourglassSpace
from paretofarm.spaces.layer_costs import numbers
from paretofarm.spaces.plan import plan_network
from workers.networks import build_network, count_macs, count_parameters

CLASSES = 5


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    "settings",
    [HourglassSpace(type="hourglass", input_size=64), HourglassMobileSpace(type="hourglass_mobile", input_size=64)],
    ids=["hourglass", "hourglass_mobile"],
)
def test_macs_and_parameters_are_exact(settings: HourglassSpace | HourglassMobileSpace, seed: int) -> None:
    architecture = settings.search_space().sample(np.random.default_rng(seed))
    plan = plan_network(settings, architecture)
    told = numbers(plan)
    network = build_network(settings, architecture, CLASSES)
    classifier = plan.base_channels * CLASSES
    assert math.exp(told["log_parameters"]) == pytest.approx(count_parameters(network) - classifier - CLASSES)
    macs = count_macs(network, (1, 3, 64, 64))
    assert math.exp(told["log_macs"]) == pytest.approx(macs - classifier * plan.resolution**2)
