"""What an hourglass architecture means as a network: every layer with its channels and stride, without any torch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from paretofarm.architecture import Architecture, Value
from paretofarm.errors import ArchitectureError
from paretofarm.search_space import SearchSpace


class Skeleton(Protocol):
    """As much of an hourglass space's settings as a plan needs."""

    @property
    def input_size(self) -> int: ...

    @property
    def downsample_blocks(self) -> int: ...

    @property
    def space_name(self) -> str: ...

    @property
    def resolutions(self) -> tuple[int, ...]: ...

    def round_channels(self, channels: float) -> int: ...

    def search_space(self) -> SearchSpace: ...


@dataclass(frozen=True)
class LayerPlan:
    """One operation of the space, e.g. `conv3x3` or `mbconv5x5_e6_se` (with squeeze-and-excitation)."""

    op: str
    in_channels: int
    out_channels: int
    stride: int = 1


Block = tuple[LayerPlan, ...]


@dataclass(frozen=True)
class HourglassPlan:
    """Blocks from high to low resolution.

    Down block 0 keeps the resolution, each later one halves it. Skip block i takes the output of down block i (all but
    the last); up block i maps the upsampled output of level i + 1 onto level i, where the two are added. An empty
    block is the identity. A 1x1 convolution from `out_channels` to the base channels follows.
    """

    down: tuple[Block, ...]
    skip: tuple[Block, ...]
    up: tuple[Block, ...]

    @property
    def out_channels(self) -> int:
        return self.down[0][-1].out_channels


@dataclass(frozen=True)
class NetworkPlan:
    """A whole network but for its classifier, a 1x1 convolution from the base channels.

    resolution: side in pixels at which it computes; input_size: side of its images and logits.
    """

    input_size: int
    resolution: int
    stem_stride: int
    base_channels: int
    hourglasses: tuple[HourglassPlan, ...]
    post: Block


def plan_network(settings: Skeleton, architecture: Architecture) -> NetworkPlan:
    """The network's layers. ArchitectureError where the architecture is not one of the space's."""
    if architecture.space != settings.space_name:
        raise ArchitectureError(f"an architecture of {architecture.space} is not one of {settings.space_name}")
    return read_plan(settings, settings.search_space().validate(architecture.choices).choices)


def read_plan(settings: Skeleton, choices: Mapping[str, Value]) -> NetworkPlan:
    """The same from choices that are known to be a member of the space."""
    reader = _Reader(settings, choices)
    base = reader.integer("base_channels")
    return NetworkPlan(
        input_size=settings.input_size,
        resolution=reader.integer("resolution") if "resolution" in choices else settings.resolutions[0],
        stem_stride=reader.integer("stem_stride"),
        base_channels=base,
        hourglasses=tuple(
            _hourglass(reader, f"hourglass{number}", base) for number in range(1, reader.integer("hourglasses") + 1)
        ),
        post=reader.block("post", base, base),
    )


def _hourglass(reader: "_Reader", name: str, base_channels: int) -> HourglassPlan:
    channels = tuple(reader.channels(name, base_channels))
    inputs = (base_channels, *channels)
    levels = range(len(channels))
    return HourglassPlan(
        down=tuple(
            reader.block(f"{name}.down{i + 1}", inputs[i], channels[i], stride=2 if i > 0 else 1) for i in levels
        ),
        skip=tuple(reader.block(f"{name}.skip{i + 1}", channels[i], channels[i]) for i in levels[:-1]),
        up=tuple(reader.block(f"{name}.up{i + 1}", channels[i + 1], channels[i]) for i in levels[:-1]),
    )


class _Reader:
    """Reads an architecture's choices by what they mean."""

    def __init__(self, settings: Skeleton, choices: Mapping[str, Value]) -> None:
        self._settings = settings
        self._choices = choices

    def integer(self, name: str) -> int:
        return int(self._choices[name])

    def channels(self, hourglass: str, base_channels: int) -> Iterator[int]:
        """Output channels of each downsample block."""
        channels = base_channels
        for number in range(1, self._settings.downsample_blocks + 1):
            expansion = float(self._choices[f"{hourglass}.down{number}.expansion"])
            channels = self._settings.round_channels(channels * expansion)
            yield channels

    def block(self, name: str, in_channels: int, out_channels: int, stride: int = 1) -> Block:
        """The first layer changes channels and resolution, the others keep both."""
        layers = range(1, self.integer(f"{name}.layers") + 1)
        return tuple(
            LayerPlan(
                op=str(self._choices[f"{name}.layer{number}.op"]),
                in_channels=in_channels if number == 1 else out_channels,
                out_channels=out_channels,
                stride=stride if number == 1 else 1,
            )
            for number in layers
        )
