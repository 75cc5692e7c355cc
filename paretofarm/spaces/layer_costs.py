"""What an hourglass network costs, from its plan alone: the numbers by which surrogates tell networks apart."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from paretofarm.spaces.plan import LayerPlan, NetworkPlan

_OPERATION = re.compile(r"(?P<kind>[a-z]+)(?P<kernel>\d+)x(?P=kernel)(_e(?P<expansion>\d+))?")
_KINDS = ("conv", "dwsep", "mbconv")


@dataclass(frozen=True)
class LayerCost:
    """Of one operation: numbers that are trained, multiply-accumulates, elements that it writes, its kernel's width."""

    kind: str
    parameters: int
    macs: int
    elements: int
    kernel: int


def layer_cost(layer: LayerPlan, side: int) -> LayerCost:
    """Of an operation whose output has that side, in pixels."""
    name = _OPERATION.fullmatch(layer.op)
    assert name is not None, layer.op
    kind, kernel, expansion = name["kind"], int(name["kernel"]), int(name["expansion"] or 1)
    parameters = macs = elements = 0
    for convolution in _convolutions(kind, layer, expansion, kernel):
        outputs = (side if convolution.strided else side * layer.stride) ** 2
        parameters += convolution.weights + 2 * convolution.channels
        macs += convolution.weights * outputs
        elements += convolution.channels * outputs
    return LayerCost(kind, parameters, macs, elements, kernel)


@dataclass(frozen=True)
class _Convolution:
    """weights: how many; channels: of its output; strided: whether it is at or after the operation's stride."""

    weights: int
    channels: int
    strided: bool


def _convolutions(kind: str, layer: LayerPlan, expansion: int, kernel: int) -> Iterator[_Convolution]:
    inputs, outputs, hidden = layer.in_channels, layer.out_channels, layer.in_channels * expansion
    if kind == "conv":
        yield _Convolution(inputs * outputs * kernel**2, outputs, True)
        return
    if kind == "mbconv":
        yield _Convolution(inputs * hidden, hidden, False)
    yield _Convolution(hidden * kernel**2, hidden, True)
    yield _Convolution(hidden * outputs, outputs, True)


def numbers(plan: NetworkPlan) -> dict[str, float]:
    """Generic numbers of a network but for its classifier, whose size depends on the data set's classes."""
    base = plan.resolution // plan.stem_stride
    stem = LayerCost("stem", 27 * plan.base_channels + 2 * plan.base_channels, 27 * plan.base_channels * base**2, 0, 3)
    costs = [stem, *_layers(plan, base)]
    total = sum(cost.macs for cost in costs)
    shares = {f"{kind}_share": sum(cost.macs for cost in costs if cost.kind == kind) / total for kind in _KINDS}
    return {
        **shares,
        "log_macs": math.log(total),
        "log_parameters": math.log(sum(cost.parameters for cost in costs)),
        "log_elements": math.log(sum(cost.elements for cost in costs)),
        "layers": float(len(costs)),
        "log_side": math.log2(base),
        "log_channels": math.log2(plan.base_channels),
        "log_deepest_channels": math.log2(plan.hourglasses[-1].down[-1][-1].out_channels),
        "kernel": sum(cost.kernel for cost in costs) / len(costs),
        "full_resolution": math.log1p(sum(cost.macs for cost in _post(plan))),
        "skips": float(sum(len(block) for hourglass in plan.hourglasses for block in hourglass.skip)),
        "hourglasses": float(len(plan.hourglasses)),
    }


def _layers(plan: NetworkPlan, base: int) -> Iterator[LayerCost]:
    for hourglass in plan.hourglasses:
        for level, block in enumerate(hourglass.down):
            yield from (layer_cost(layer, base >> level) for layer in block)
        for level, block in enumerate((*hourglass.skip, *hourglass.up)):
            yield from (layer_cost(layer, base >> (level % len(hourglass.skip))) for layer in block)
        weights = hourglass.out_channels * plan.base_channels
        yield LayerCost("output", weights + plan.base_channels, weights * base**2, plan.base_channels * base**2, 1)
    yield from _post(plan)


def _post(plan: NetworkPlan) -> Iterator[LayerCost]:
    """The layers at full resolution."""
    return (layer_cost(layer, plan.resolution) for layer in plan.post)
