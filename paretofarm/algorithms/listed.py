"""The networks of a list, in its order: for training again what is known already."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from paretofarm.algorithms.port import Origin, Proposal
from paretofarm.architecture import Architecture
from paretofarm.errors import ArchitectureError
from paretofarm.history import History
from paretofarm.search_space import SearchSpace
from paretofarm.strict import Strict


def _read(document: Any) -> Architecture:
    if isinstance(document, Architecture):
        return document
    try:
        return Architecture.from_dict(document)
    except ArchitectureError as error:
        raise ValueError(error.message) from error


Listing = Annotated[
    Any, BeforeValidator(_read), PlainSerializer(lambda architecture: architecture.to_dict(), return_type=dict)
]


class Listed(Strict):
    """Each architecture of the list once, none where all have been proposed.

    architectures: as `paretofarm candidate --json` prints them. first_alone: the others wait until the first has come
    to its end, as pupils do for their teacher.
    """

    type: Literal["listed"]
    architectures: Annotated[tuple[Listing, ...], Field(min_length=1, max_length=10_000)]
    first_alone: bool = False

    def propose(self, history: History, space: SearchSpace, *, count: int, seed: int) -> list[Proposal]:
        if self.first_alone and _is_under_way(history):
            return []
        most = 1 if self.first_alone and not history.members else count
        return list(self._proposals(history))[:most]

    def _proposals(self, history: History) -> Iterator[Proposal]:
        seen = set(history.digests)
        for architecture in self.architectures:
            if architecture.digest not in seen:
                seen.add(architecture.digest)
                yield Proposal(architecture, Origin.LISTED)


def _is_under_way(history: History) -> bool:
    """Whether the first of all is still trained."""
    return bool(history.members) and not history.members[0].status.is_final
