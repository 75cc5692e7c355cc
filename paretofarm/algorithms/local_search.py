"""Pareto local search (Paquete et al. 2004) in steady state: neighbours of front members that nobody has tried yet."""

from functools import cached_property
from typing import Literal

import numpy as np
from pydantic import Field

from paretofarm.algorithms.drawing import propose_each, random_proposal
from paretofarm.algorithms.port import Origin, Proposal
from paretofarm.history import History
from paretofarm.pareto import front
from paretofarm.search_space import SearchSpace
from paretofarm.strict import Strict


class LocalSearch(Strict):
    """Random until `initial` candidates are proposed, then one changed choice away from a member of the front.

    restart: probability of a random architecture instead, from which the search may go on elsewhere; always where the
    whole neighbourhood of the front has been tried.
    """

    type: Literal["local_search"]
    initial: int = Field(20, ge=1, le=100_000)
    restart: float = Field(0.05, ge=0, le=1)

    def propose(self, history: History, space: SearchSpace, *, count: int, seed: int) -> list[Proposal]:
        neighbourhood = _Neighbourhood(history, space)

        def draw(number: int, seen: set[str], rng: np.random.Generator) -> Proposal | None:
            if number < self.initial or not history.feasible:
                return random_proposal(Origin.RANDOM, space, seen, rng)
            step = None if rng.random() < self.restart else neighbourhood.draw(seen, rng)
            return step or random_proposal(Origin.IMMIGRANT, space, seen, rng)

        return propose_each(history, draw, count=count, seed=seed)


class _Neighbourhood:
    """Of the front of a history. Members whose neighbours have all been tried are not looked at again."""

    def __init__(self, history: History, space: SearchSpace) -> None:
        self._history = history
        self._space = space
        self._explored: set[int] = set()

    @cached_property
    def _front(self) -> list[int]:
        return [self._history.feasible[index].number for index in front(self._history.points)]

    def draw(self, seen: set[str], rng: np.random.Generator) -> Proposal | None:
        """An untried neighbour of a member, each member as likely as any other; None where none is left."""
        open_members = [number for number in self._front if number not in self._explored]
        for number in rng.permutation(open_members).tolist() if open_members else ():
            neighbours = self._space.neighbours(self._history.architecture(number), rng)
            fresh = [neighbour for neighbour in neighbours if neighbour.digest not in seen]
            if fresh:
                return Proposal(fresh[int(rng.integers(len(fresh)))], Origin.MUTATION, (number,))
            self._explored.add(number)
        return None
