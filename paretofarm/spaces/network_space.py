"""What all search spaces have in common whose members are networks."""

from abc import abstractmethod
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from paretofarm.architecture import Value
from paretofarm.search_space import SearchSpace
from paretofarm.strict import Strict
from paretofarm.task import Task


def _distinct(values: tuple[Value, ...]) -> tuple[Value, ...]:
    if not values or len(set(values)) < len(values):
        raise ValueError("needs at least one value, each of them once")
    return values


Distinct = AfterValidator(_distinct)
Counts = Annotated[tuple[Annotated[int, Field(ge=0, le=16)], ...], Distinct]
PositiveCounts = Annotated[tuple[Annotated[int, Field(ge=1, le=16)], ...], Distinct]
ChannelCounts = Annotated[tuple[Annotated[int, Field(ge=1, le=1024)], ...], Distinct]
Expansions = Annotated[tuple[Annotated[float, Field(gt=0, le=8)], ...], Distinct]
ImageSide = Annotated[int, Field(ge=16, le=4096)]
StemStride = Annotated[int, Field(ge=1, le=8)]

CHANNEL_MULTIPLE = 8


def multiple_of_8(channels: float) -> int:
    """The nearest, never 0: phone accelerators compute on eights and pad everything else."""
    return max(CHANNEL_MULTIPLE, int(channels / CHANNEL_MULTIPLE + 0.5) * CHANNEL_MULTIPLE)


class NetworkSpace(Strict):
    """Networks that take square images of `input_size` pixels a side. task: what they say of one."""

    task: ClassVar[Task]
    type: str
    input_size: ImageSide

    @abstractmethod
    def search_space(self) -> SearchSpace:
        """Its choices."""
