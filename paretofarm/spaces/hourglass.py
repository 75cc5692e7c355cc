"""Archai's face segmentation space, choice for choice, so that searches can be compared."""

from typing import Annotated, Literal

from paretofarm.spaces.network_space import Distinct
from paretofarm.spaces.skeleton import HourglassSkeleton

Operation = Literal["conv3x3", "conv5x5", "conv7x7"]


class HourglassSpace(HourglassSkeleton):
    """Stacked hourglasses of plain convolutions (convolution, batch normalisation, ReLU)."""

    type: Literal["hourglass"]
    ops: Annotated[tuple[Operation, ...], Distinct] = ("conv3x3", "conv5x5", "conv7x7")

    @property
    def space_name(self) -> str:
        return self.type

    @property
    def operations(self) -> tuple[str, ...]:
        return self.ops
