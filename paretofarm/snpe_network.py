"""What goes with a DLC of Qualcomm's SNPE."""

from typing import Literal

from pydantic import Field

from paretofarm.packed_network import PackedNetwork


class SnpeNetwork(PackedNetwork):
    """A DLC whose graph is prepared for one chip. arch: of its Hexagon; sdk: the version of the compiler."""

    soc: str
    arch: int = Field(ge=66)
    precision: Literal["int8", "a16w8"]
    sdk: str
