"""What a network costs, from its plan alone: the numbers by which surrogates tell networks apart."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from paretofarm.spaces.network_space import multiple_of_8
from paretofarm.spaces.operation import Operation
from paretofarm.spaces.plan import LayerPlan, NetworkPlan

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
    operation = Operation.parse(layer.op)
    assert operation is not None, layer.op
    parameters = macs = elements = 0
    for convolution in _convolutions(operation, layer, side):
        parameters += convolution.weights + convolution.others
        macs += convolution.weights * convolution.pixels
        elements += convolution.channels * convolution.pixels
    return LayerCost(operation.kind, parameters, macs, elements, operation.kernel)


@dataclass(frozen=True)
class _Convolution:
    """weights: how many; channels, pixels: of its output; others: numbers of its normalisation, or its bias."""

    weights: int
    channels: int
    pixels: int
    others: int


def _normalised(weights: int, channels: int, side: int) -> _Convolution:
    return _Convolution(weights, channels, side**2, 2 * channels)


def _convolutions(operation: Operation, layer: LayerPlan, side: int) -> Iterator[_Convolution]:
    inputs, outputs, kernel = layer.in_channels, layer.out_channels, operation.kernel
    hidden = inputs * operation.expansion
    if operation.kind == "conv":
        yield _normalised(inputs * outputs * kernel**2, outputs, side)
        return
    if operation.kind == "mbconv":
        yield _normalised(inputs * hidden, hidden, side * layer.stride)
    yield _normalised(hidden * kernel**2, hidden, side)
    if operation.squeeze:
        squeezed = squeezed_channels(hidden)
        yield _Convolution(hidden * squeezed, squeezed, 1, squeezed)
        yield _Convolution(hidden * squeezed, hidden, 1, hidden)
    yield _normalised(hidden * outputs, outputs, side)


def squeezed_channels(hidden: int) -> int:
    """Between the two convolutions of a squeeze-and-excitation: a quarter, as in MobileNetV3."""
    return multiple_of_8(hidden / 4)


def numbers(plan: NetworkPlan) -> dict[str, float]:
    """Generic numbers of a network but for its classifier, whose size depends on the data set's classes."""
    base = plan.resolution // plan.stem_stride
    stem = LayerCost("stem", 27 * plan.base_channels + 2 * plan.base_channels, 27 * plan.base_channels * base**2, 0, 3)
    costs = [stem, *_layers(plan, base)]
    return {
        **totals(costs),
        "log_side": math.log2(base),
        "log_channels": math.log2(plan.base_channels),
        "log_deepest_channels": math.log2(plan.hourglasses[-1].down[-1][-1].out_channels),
        "full_resolution": math.log1p(sum(cost.macs for cost in _post(plan))),
        "skips": float(sum(len(block) for hourglass in plan.hourglasses for block in hourglass.skip)),
        "hourglasses": float(len(plan.hourglasses)),
    }


def totals(costs: Sequence[LayerCost]) -> dict[str, float]:
    """Numbers of any network, from those of its layers."""
    total = sum(cost.macs for cost in costs)
    return {
        **{f"{kind}_share": sum(cost.macs for cost in costs if cost.kind == kind) / total for kind in _KINDS},
        "log_macs": math.log(total),
        "log_parameters": math.log(sum(cost.parameters for cost in costs)),
        "log_elements": math.log(sum(cost.elements for cost in costs)),
        "layers": float(len(costs)),
        "kernel": sum(cost.kernel for cost in costs) / len(costs),
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
