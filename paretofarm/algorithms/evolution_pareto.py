"""Steady-state evolution of a Pareto front (NSGA-II's selection; variation as in Archai, without its clones)."""

from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from paretofarm.algorithms.drawing import first_unseen, propose_each, random_proposal
from paretofarm.algorithms.parents import BestOf, Parents
from paretofarm.algorithms.port import Origin, Proposal
from paretofarm.architecture import Architecture
from paretofarm.history import History
from paretofarm.search_space import SearchSpace
from paretofarm.strict import Strict


class EvolutionPareto(Strict):
    """Random until `initial` candidates are proposed, then children of the `population` best feasible ones.

    mutate, crossover, immigrants: in which proportion children come about (any scale); an immigrant is a random
    architecture that keeps the population from closing in. tournament: how many compete for being a parent.
    """

    type: Literal["evolution_pareto"]
    initial: int = Field(20, ge=1, le=100_000)
    population: int = Field(12, ge=2, le=100_000)
    tournament: int = Field(2, ge=1, le=1_000)
    mutate: float = Field(0.5, ge=0, allow_inf_nan=False)
    crossover: float = Field(0.4, ge=0, allow_inf_nan=False)
    immigrants: float = Field(0.1, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _some_origin(self) -> Self:
        if self.mutate + self.crossover + self.immigrants <= 0:
            raise ValueError("mutate, crossover and immigrants cannot all be 0")
        return self

    def propose(self, history: History, space: SearchSpace, *, count: int, seed: int) -> list[Proposal]:
        parents = BestOf(history, self.population)

        def draw(number: int, seen: set[str], rng: np.random.Generator) -> Proposal | None:
            return self._propose_one(parents.get() if number >= self.initial else None, space, seen, rng)

        return propose_each(history, draw, count=count, seed=seed)

    def _propose_one(
        self, parents: Parents | None, space: SearchSpace, seen: set[str], rng: np.random.Generator
    ) -> Proposal | None:
        if parents is None or not len(parents):
            return random_proposal(Origin.RANDOM, space, seen, rng)
        origin = self._draw_origin(rng)
        child = None
        if origin is not Origin.IMMIGRANT:
            child = first_unseen(lambda: self._vary(origin, parents, space, rng), seen)
        return child or random_proposal(Origin.IMMIGRANT, space, seen, rng)

    def _draw_origin(self, rng: np.random.Generator) -> Origin:
        ticket = rng.random() * (self.mutate + self.crossover + self.immigrants)
        if ticket < self.mutate:
            return Origin.MUTATION
        return Origin.CROSSOVER if ticket < self.mutate + self.crossover else Origin.IMMIGRANT

    def _vary(self, origin: Origin, parents: Parents, space: SearchSpace, rng: np.random.Generator) -> Proposal | None:
        first = parents.draw(self.tournament, rng)
        child: Architecture | None
        if origin is Origin.MUTATION:
            numbers: tuple[int, ...] = (first,)
            child = space.mutate(parents.architecture(first), rng)
        else:
            second = parents.draw(self.tournament, rng)
            numbers = (first, second)
            child = space.crossover(parents.architecture(first), parents.architecture(second), rng)
        return Proposal(child, origin, numbers) if child is not None else None
