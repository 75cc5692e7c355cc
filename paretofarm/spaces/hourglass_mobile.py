"""The hourglass space for phones: separable and inverted-bottleneck layers, channels on multiples of 8."""

from typing import Annotated, Literal, Self

from pydantic import model_validator

from paretofarm.spaces.network_space import CHANNEL_MULTIPLE, Distinct, ImageSide, StemStride, multiple_of_8
from paretofarm.spaces.skeleton import HourglassSkeleton

Operation = Literal[
    "conv3x3",
    "conv5x5",
    "dwsep3x3",
    "dwsep5x5",
    "dwsep7x7",
    "mbconv3x3_e3",
    "mbconv5x5_e3",
    "mbconv3x3_e6",
    "mbconv5x5_e6",
]


class HourglassMobileSpace(HourglassSkeleton):
    """Stacked hourglasses for phones.

    input_sizes: sides at which a network may compute. Images are resized to it at the network's entrance, logits back
    at its exit, so that every candidate is judged on the same pixels. Left out: 1/2, 3/4 and all of `input_size`, as
    far as the strides divide them.
    """

    type: Literal["hourglass_mobile"]
    stem_strides: Annotated[tuple[StemStride, ...], Distinct] = (2, 4)
    input_sizes: Annotated[tuple[ImageSide, ...], Distinct] | None = None
    ops: Annotated[tuple[Operation, ...], Distinct] = (
        "conv3x3",
        "conv5x5",
        "dwsep3x3",
        "dwsep5x5",
        "dwsep7x7",
        "mbconv3x3_e3",
        "mbconv5x5_e3",
        "mbconv3x3_e6",
        "mbconv5x5_e6",
    )

    @property
    def space_name(self) -> str:
        return self.type

    @property
    def operations(self) -> tuple[str, ...]:
        return self.ops

    @property
    def resolutions(self) -> tuple[int, ...]:
        if self.input_sizes is not None:
            return self.input_sizes
        factor = max(self.stem_strides) * 2 ** (self.downsample_blocks - 1)
        smaller = (self.input_size // 2, self.input_size * 3 // 4)
        return (*(side for side in smaller if side >= factor and side % factor == 0), self.input_size)

    def round_channels(self, channels: float) -> int:
        return multiple_of_8(channels)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        uneven = [channels for channels in self.base_channels if channels % CHANNEL_MULTIPLE]
        if uneven:
            raise ValueError(f"base_channels {uneven} are not multiples of {CHANNEL_MULTIPLE}")
        too_big = [side for side in self.input_sizes or () if side > self.input_size]
        if too_big:
            raise ValueError(f"input_sizes {too_big} are above input_size {self.input_size}")
        return self
