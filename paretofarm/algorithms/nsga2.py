"""NSGA-II (Deb et al. 2002) in steady state: survivors by rank and crowding, binary tournaments, crossover, mutation.

Nothing is kept between calls: the survivors are the best of all results so far, which elitism makes them anyway. A
child is proposed as soon as a slot is free (Durillo et al. 2009) instead of a generation at a time.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from paretofarm.algorithms.drawing import first_unseen, propose_each, random_proposal
from paretofarm.algorithms.parents import BestOf, Parents
from paretofarm.algorithms.port import Origin, Proposal
from paretofarm.architecture import Architecture
from paretofarm.history import History
from paretofarm.search_space import SearchSpace
from paretofarm.strict import Strict

TOURNAMENT = 2


class Nsga2(Strict):
    """Random until `population` candidates are proposed, then children of the `population` survivors.

    crossover: probability that a child has two parents. mutation: probability that it is mutated, each used choice with
    probability 1/n and at least one; a copy always is. (Each with 1/n, as Deb has it, leaves 0.37 of them alone.)
    """

    type: Literal["nsga2"]
    population: int = Field(20, ge=2, le=100_000)
    crossover: float = Field(0.9, ge=0, le=1)
    mutation: float = Field(0.63, ge=0, le=1)

    def propose(self, history: History, space: SearchSpace, *, count: int, seed: int) -> list[Proposal]:
        survivors = BestOf(history, self.population)

        def draw(number: int, seen: set[str], rng: np.random.Generator) -> Proposal | None:
            parents = survivors.get() if number >= self.population else None
            if parents is None or not len(parents):
                return random_proposal(Origin.RANDOM, space, seen, rng)
            child = first_unseen(lambda: self._child(parents, space, rng), seen)
            return child or random_proposal(Origin.IMMIGRANT, space, seen, rng)

        return propose_each(history, draw, count=count, seed=seed)

    def _child(self, parents: Parents, space: SearchSpace, rng: np.random.Generator) -> Proposal | None:
        first, second = (parents.draw(TOURNAMENT, rng) for _ in range(2))
        crossed: Architecture | None = None
        if rng.random() < self.crossover:
            crossed = space.crossover(parents.architecture(first), parents.architecture(second), rng)
        child = crossed
        if child is None or rng.random() < self.mutation:
            child = space.mutate(parents.architecture(first) if child is None else child, rng)
        if child is None:
            return None
        if crossed is None:
            return Proposal(child, Origin.MUTATION, (first,))
        return Proposal(child, Origin.CROSSOVER, (first, second))
