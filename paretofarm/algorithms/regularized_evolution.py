"""Regularized evolution (Real et al. 2019): the oldest dies, not the worst; parents win a tournament of the young.

With several objectives a tournament is won by non-domination rank within it, as in Syne Tune's MO-REA; of equal ones by
crowding.
"""

from functools import partial
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from paretofarm.algorithms.drawing import first_unseen, propose_each, random_proposal
from paretofarm.algorithms.port import Origin, Proposal
from paretofarm.history import History
from paretofarm.pareto import crowding_distance, non_domination_rank
from paretofarm.search_space import SearchSpace
from paretofarm.strict import Strict


class RegularizedEvolution(Strict):
    """Random until `population` candidates are proposed, then mutants of the winners of tournaments.

    population: the latest so many that are complete and feasible live. tournament: how many of them, drawn without
    replacement, compete for being the parent.
    """

    type: Literal["regularized_evolution"]
    population: int = Field(50, ge=2, le=100_000)
    tournament: int = Field(10, ge=1, le=100_000)

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.tournament > self.population:
            raise ValueError(f"tournament ({self.tournament}) is greater than population ({self.population})")
        return self

    def propose(self, history: History, space: SearchSpace, *, count: int, seed: int) -> list[Proposal]:
        def draw(number: int, seen: set[str], rng: np.random.Generator) -> Proposal | None:
            if number < self.population or not history.feasible:
                return random_proposal(Origin.RANDOM, space, seen, rng)
            child = first_unseen(partial(self._mutant, history, space, rng), seen)
            return child or random_proposal(Origin.IMMIGRANT, space, seen, rng)

        return propose_each(history, draw, count=count, seed=seed)

    def _mutant(self, history: History, space: SearchSpace, rng: np.random.Generator) -> Proposal | None:
        parent = self._winner(history, rng)
        child = space.mutate(history.architecture(parent), rng)
        return None if child is None else Proposal(child, Origin.MUTATION, (parent,))

    def _winner(self, history: History, rng: np.random.Generator) -> int:
        """Number of the member that wins a tournament of the living."""
        living = min(self.population, len(history.feasible))
        drawn = rng.choice(living, size=min(self.tournament, living), replace=False) + len(history.feasible) - living
        points = history.points[drawn]
        best = np.flatnonzero(non_domination_rank(points, enough=1) == 0)
        return history.feasible[int(drawn[best[np.argmax(crowding_distance(points[best]))]])].number
