"""The stacked hourglass as a family of search spaces: which choices there are; subclasses say which operations."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from paretofarm.architecture import Value
from paretofarm.choice import Choice, Condition
from paretofarm.description import Description
from paretofarm.search_space import SearchSpace
from paretofarm.spaces.layer_costs import numbers
from paretofarm.spaces.network_space import (
    ChannelCounts,
    Counts,
    Distinct,
    Expansions,
    NetworkSpace,
    PositiveCounts,
    StemStride,
)
from paretofarm.spaces.plan import read_plan
from paretofarm.task import Task


class HourglassSkeleton(NetworkSpace):
    """A stem, one or more hourglasses, and layers at full resolution. The numbers are Archai's defaults.

    In every hourglass each block has its own number of layers and every layer its own operation; `input_size` is the
    side in pixels of the square images that networks are given and of the logits they return.
    """

    task: ClassVar[Task] = Task.SEGMENTATION
    stem_strides: Annotated[tuple[StemStride, ...], Distinct] = (2,)
    base_channels: ChannelCounts = (16, 24, 32, 48)
    hourglasses: PositiveCounts = (1, 2)
    downsample_blocks: int = Field(5, ge=2, le=8)
    downsample_layers: PositiveCounts = (1, 2, 3, 4)
    channel_expansions: Expansions = (1, 1.2, 1.5, 1.6, 2, 2.2)
    skip_layers: Counts = (0, 1, 2)
    upsample_layers: PositiveCounts = (1, 2, 3, 4)
    post_upsample_layers: Counts = (0, 1, 2)

    @property
    @abstractmethod
    def space_name(self) -> str:
        """Written into every architecture."""

    @property
    @abstractmethod
    def operations(self) -> tuple[str, ...]:
        """What a layer can be."""

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Sides at which a network may compute."""
        return (self.input_size,)

    def round_channels(self, channels: float) -> int:
        """Number of channels of a block from the exact product of the expansions."""
        return int(channels)

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        for side in self.resolutions:
            for stride in self.stem_strides:
                factor = stride * 2 ** (self.downsample_blocks - 1)
                if side % factor:
                    raise ValueError(
                        f"input size {side} must be divisible by {factor} "
                        f"(stem stride {stride}, then {self.downsample_blocks - 1} times halved)"
                    )
        return self

    def search_space(self) -> SearchSpace:
        return SearchSpace(self.space_name, tuple(self._choices()), describe=self._describe)

    def _describe(self, choices: Mapping[str, Value]) -> Description:
        return Description(numbers(read_plan(self, choices)))

    def _choices(self) -> Iterator[Choice]:
        if len(self.resolutions) > 1:
            yield Choice("resolution", self.resolutions, ordered=True)
        yield Choice("stem_stride", self.stem_strides, ordered=True)
        yield Choice("base_channels", self.base_channels, ordered=True)
        hourglasses = Choice("hourglasses", self.hourglasses, ordered=True)
        yield hourglasses
        for number in range(1, max(self.hourglasses) + 1):
            present = None if number <= min(self.hourglasses) else hourglasses.at_least(number)
            yield from self._hourglass(f"hourglass{number}", present)
        yield from self._block("post", self.post_upsample_layers, None)

    def _hourglass(self, name: str, present: Condition | None) -> Iterator[Choice]:
        for number in range(1, self.downsample_blocks + 1):
            block = f"{name}.down{number}"
            yield Choice(f"{block}.expansion", self.channel_expansions, ordered=True, condition=present)
            yield from self._block(block, self.downsample_layers, present)
        for number in range(1, self.downsample_blocks):
            yield from self._block(f"{name}.skip{number}", self.skip_layers, present)
        for number in range(1, self.downsample_blocks):
            yield from self._block(f"{name}.up{number}", self.upsample_layers, present)

    def _block(self, name: str, layer_counts: Sequence[int], present: Condition | None) -> Iterator[Choice]:
        """The number of layers, then the operation of each of them."""
        layers = Choice(f"{name}.layers", tuple(layer_counts), ordered=True, condition=present)
        yield layers
        for number in range(1, max(layer_counts) + 1):
            # Mentioning the hourglass is unneeded where its layer count is mentioned: that is unused without it.
            condition = present if number <= min(layer_counts) else layers.at_least(number)
            yield Choice(f"{name}.layer{number}.op", self.operations, condition=condition)
