"""The port that every search algorithm implements."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import numpy as np

from paretofarm.architecture import Architecture
from paretofarm.history import History
from paretofarm.search_space import SearchSpace


class Origin(StrEnum):
    """How an architecture came about; SEED: it was among the best of an earlier search; LISTED: somebody named it."""

    SEED = "seed"
    RANDOM = "random"
    MUTATION = "mutation"
    CROSSOVER = "crossover"
    IMMIGRANT = "immigrant"
    LISTED = "listed"


@dataclass(frozen=True)
class Proposal:
    """An architecture to try, and the numbers of the members it was made from; below 0 of earlier searches.

    remark: what the algorithm has to say about how it came to it, for the log of events; usually nothing.
    """

    architecture: Architecture
    origin: Origin
    parents: tuple[int, ...] = ()
    remark: str | None = None

    def with_remark(self, remark: str) -> "Proposal":
        return replace(self, remark=remark)


class SearchAlgorithm(Protocol):
    """Decides what to try next; keeps nothing between calls, so a restarted scheduler loses nothing.

    Duties: never propose what is in the history or twice in one call; use failed and infeasible members for nothing
    but that; depend on nothing but the arguments. The k-th candidate of a search (k = `history.proposed` for the first
    of a call) draws from `proposal_rng(seed, k)` alone. So proposals that look at no results, such as a first
    generation, are the same for the same seed however many are asked for at a time and however quick the phones are.
    """

    def propose(self, history: History, space: SearchSpace, *, count: int, seed: int) -> Sequence[Proposal]:
        """Up to `count` proposals; fewer, or none, where the space holds nothing new any more."""


def proposal_rng(seed: int, number: int) -> np.random.Generator:
    """The generator of a search's proposal `number` (from 0)."""
    return np.random.default_rng([seed, number])
