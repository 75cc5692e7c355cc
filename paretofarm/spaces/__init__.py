"""The search spaces that an experiment file can name. A new one is a file beside these and a line in the union."""

from typing import Annotated

from pydantic import Field

from paretofarm.spaces.hourglass import HourglassSpace
from paretofarm.spaces.hourglass_mobile import HourglassMobileSpace
from paretofarm.spaces.mobile_classifier import MobileClassifierSpace
from paretofarm.spaces.nas_bench_201 import NasBench201Space

SearchSpaceSettings = Annotated[
    HourglassSpace | HourglassMobileSpace | MobileClassifierSpace | NasBench201Space, Field(discriminator="type")
]

__all__ = [
    "HourglassMobileSpace",
    "HourglassSpace",
    "MobileClassifierSpace",
    "NasBench201Space",
    "SearchSpaceSettings",
]
