"""Untried architectures from which a guided search chooses: mutants and children of parents, and random ones."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from paretofarm.algorithms.port import Origin, Proposal
from paretofarm.architecture import Architecture
from paretofarm.search_space import SearchSpace

_TWICE = 0.3
"""Share of mutants that are mutated once more: one step ahead is where a front has been looked around already."""


@dataclass(frozen=True)
class Shares:
    """Of a pool: mutants, children of two parents; the rest is random."""

    mutants: float = 0.5
    children: float = 0.17


def draw_pool(
    space: SearchSpace,
    parents: Sequence[tuple[int, Architecture]],
    seen: AbstractSet[str],
    *,
    size: int,
    rng: np.random.Generator,
    shares: Shares = Shares(),
) -> list[Proposal]:
    """Up to `size` proposals that differ from each other and from all that was seen; parents: by number.

    A space of no more architectures than that is given whole.
    """
    drawn: dict[str, Proposal] = {}
    source = _all(space) if space.size() <= size else _some(space, parents, size, rng, shares)
    for proposal in source:
        digest = proposal.architecture.digest
        if digest not in seen:
            drawn.setdefault(digest, proposal)
    return list(drawn.values())


def _all(space: SearchSpace) -> Iterator[Proposal]:
    for architecture in space.enumerate():
        yield Proposal(architecture, Origin.IMMIGRANT)


def _some(
    space: SearchSpace,
    parents: Sequence[tuple[int, Architecture]],
    size: int,
    rng: np.random.Generator,
    shares: Shares,
) -> Iterator[Proposal]:
    mutants = round(size * shares.mutants) if parents else 0
    children = round(size * shares.children) if len(parents) > 1 else 0
    for _ in range(mutants):
        yield from _mutant(space, parents[int(rng.integers(len(parents)))], rng)
    for _ in range(children):
        first, second = rng.choice(len(parents), 2, replace=False).tolist()
        child = space.crossover(parents[first][1], parents[second][1], rng)
        if child is not None:
            yield Proposal(child, Origin.CROSSOVER, (parents[first][0], parents[second][0]))
    for _ in range(size - mutants - children):
        yield Proposal(space.sample(rng), Origin.IMMIGRANT)


def _mutant(space: SearchSpace, parent: tuple[int, Architecture], rng: np.random.Generator) -> Iterator[Proposal]:
    number, architecture = parent
    mutant = space.mutate(architecture, rng)
    if mutant is not None and rng.random() < _TWICE:
        mutant = space.mutate(mutant, rng)
    if mutant is not None:
        yield Proposal(mutant, Origin.MUTATION, (number,))
