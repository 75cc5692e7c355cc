"""Image classifiers for phones, in the manner of MobileNet and MnasNet (Tan et al. 2019, arXiv 1807.11626): stages of
equal layers, each stage at half the resolution of the one before, with its own operation, kernel, width and depth."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from paretofarm.architecture import Architecture, Value
from paretofarm.choice import Choice, Condition
from paretofarm.description import Description
from paretofarm.errors import ArchitectureError
from paretofarm.search_space import SearchSpace
from paretofarm.spaces.layer_costs import LayerCost, layer_cost, totals
from paretofarm.spaces.network_space import (
    CHANNEL_MULTIPLE,
    ChannelCounts,
    Distinct,
    Expansions,
    NetworkSpace,
    PositiveCounts,
    StemStride,
    multiple_of_8,
)
from paretofarm.spaces.operation import Operation
from paretofarm.spaces.plan import Block, LayerPlan
from paretofarm.task import Task

OperationKind = Literal["conv", "dwsep", "mbconv"]
Kernel = Literal[3, 5, 7]
Expansion = Annotated[int, Field(ge=2, le=8)]


class MobileClassifierSpace(NetworkSpace):
    """A stem, stages of convolutions, depthwise-separable or inverted-bottleneck layers, a head, and one class.

    stages: how many; the first keeps the resolution of the stem, each later one halves it. widths: a stage's channels
    over those of the stage before, rounded to a multiple of 8. expansions, squeeze (a squeeze-and-excitation in each
    layer): of inverted bottlenecks. head_channels: of the convolution before the average over the image.
    """

    task: ClassVar[Task] = Task.CLASSIFICATION
    type: Literal["mobile_classifier"]
    stem_strides: Annotated[tuple[StemStride, ...], Distinct] = (1, 2)
    stem_channels: ChannelCounts = (8, 16, 24)
    stages: PositiveCounts = (3, 4)
    stage_layers: PositiveCounts = (1, 2, 3)
    widths: Expansions = (1, 1.5, 2)
    ops: Annotated[tuple[OperationKind, ...], Distinct] = ("conv", "dwsep", "mbconv")
    kernels: Annotated[tuple[Kernel, ...], Distinct] = (3, 5)
    expansions: Annotated[tuple[Expansion, ...], Distinct] = (3, 6)
    squeeze: Annotated[tuple[bool, ...], Distinct] = (False, True)
    head_channels: ChannelCounts = (64, 128, 256)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        uneven = [channels for channels in (*self.stem_channels, *self.head_channels) if channels % CHANNEL_MULTIPLE]
        if uneven:
            raise ValueError(f"channels {uneven} are not multiples of {CHANNEL_MULTIPLE}")
        factor = max(self.stem_strides) * 2 ** (max(self.stages) - 1)
        if self.input_size % factor:
            halved = f"stem stride {max(self.stem_strides)}, then {max(self.stages) - 1} times halved"
            raise ValueError(f"input size {self.input_size} must be divisible by {factor} ({halved})")
        return self

    def search_space(self) -> SearchSpace:
        return SearchSpace(self.type, tuple(self._choices()), describe=self._describe)

    def _describe(self, choices: Mapping[str, Value]) -> Description:
        return Description(_numbers(_read_plan(self, choices)))

    def _choices(self) -> Iterator[Choice]:
        yield Choice("stem.stride", self.stem_strides, ordered=True)
        yield Choice("stem.channels", self.stem_channels, ordered=True)
        stages = Choice("stages", self.stages, ordered=True)
        yield stages
        for number in range(1, max(self.stages) + 1):
            present = None if number <= min(self.stages) else stages.at_least(number)
            yield from self._stage(f"stage{number}", present)
        yield Choice("head.channels", self.head_channels, ordered=True)

    def _stage(self, name: str, present: Condition | None) -> Iterator[Choice]:
        yield Choice(f"{name}.layers", self.stage_layers, ordered=True, condition=present)
        yield Choice(f"{name}.width", self.widths, ordered=True, condition=present)
        yield Choice(f"{name}.kernel", self.kernels, ordered=True, condition=present)
        kind = Choice(f"{name}.op", self.ops, condition=present)
        yield kind
        if "mbconv" in self.ops:
            # A stage that is absent has no operation, so the operation alone is condition enough.
            yield Choice(f"{name}.expansion", self.expansions, ordered=True, condition=kind.is_in("mbconv"))
            yield Choice(f"{name}.squeeze", self.squeeze, condition=kind.is_in("mbconv"))


@dataclass(frozen=True)
class ClassifierPlan:
    """A whole network but for its classifier, a 1x1 convolution from the head's channels on the image's average.

    Stages from high to low resolution; the first layer of each but the first one halves it.
    """

    input_size: int
    stem_stride: int
    stem_channels: int
    stages: tuple[Block, ...]
    head_channels: int

    @property
    def side(self) -> int:
        """Of the last stage's output."""
        return (self.input_size // self.stem_stride) >> (len(self.stages) - 1)


def plan_classifier(settings: MobileClassifierSpace, architecture: Architecture) -> ClassifierPlan:
    """The network's layers. ArchitectureError where the architecture is not one of the space's."""
    if architecture.space != settings.type:
        raise ArchitectureError(f"an architecture of {architecture.space} is not one of {settings.type}")
    return _read_plan(settings, settings.search_space().validate(architecture.choices).choices)


def _read_plan(settings: MobileClassifierSpace, choices: Mapping[str, Value]) -> ClassifierPlan:
    channels = int(choices["stem.channels"])
    stages: list[Block] = []
    for number in range(1, int(choices["stages"]) + 1):
        block = tuple(_layers(choices, f"stage{number}", channels, stride=2 if number > 1 else 1))
        channels = block[-1].out_channels
        stages.append(block)
    return ClassifierPlan(
        input_size=settings.input_size,
        stem_stride=int(choices["stem.stride"]),
        stem_channels=int(choices["stem.channels"]),
        stages=tuple(stages),
        head_channels=int(choices["head.channels"]),
    )


def _layers(choices: Mapping[str, Value], stage: str, inputs: int, stride: int) -> Iterator[LayerPlan]:
    """The first one changes channels and resolution, the others keep both."""
    operation = Operation(
        kind=str(choices[f"{stage}.op"]),
        kernel=int(choices[f"{stage}.kernel"]),
        expansion=int(choices.get(f"{stage}.expansion", 1)),
        squeeze=bool(choices.get(f"{stage}.squeeze", False)),
    )
    outputs = multiple_of_8(inputs * float(choices[f"{stage}.width"]))
    yield LayerPlan(operation.name, inputs, outputs, stride)
    for _ in range(1, int(choices[f"{stage}.layers"])):
        yield LayerPlan(operation.name, outputs, outputs)


def _numbers(plan: ClassifierPlan) -> dict[str, float]:
    """Generic numbers of a network but for its classifier, whose size depends on the data set's classes."""
    return {
        **totals(list(_costs(plan))),
        "stages": float(len(plan.stages)),
        "last_side": float(plan.side),
        "last_channels": float(plan.stages[-1][-1].out_channels),
        "squeezed": float(sum("_se" in layer.op for block in plan.stages for layer in block)),
    }


def _costs(plan: ClassifierPlan) -> Iterator[LayerCost]:
    side = plan.input_size // plan.stem_stride
    yield _convolution("stem", 27, plan.stem_channels, side, kernel=3)
    for number, block in enumerate(plan.stages):
        yield from (layer_cost(layer, side >> number) for layer in block)
    yield _convolution("head", plan.stages[-1][-1].out_channels, plan.head_channels, plan.side, kernel=1)


def _convolution(kind: str, weights: int, channels: int, side: int, *, kernel: int) -> LayerCost:
    """Normalised. weights: per channel."""
    return LayerCost(kind, (weights + 2) * channels, weights * channels * side**2, channels * side**2, kernel)
