"""Evolution of a Pareto front with models that look ahead: of many possible children the most promising is proposed."""

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from paretofarm.algorithms.evolution_pareto import EvolutionPareto
from paretofarm.algorithms.pool import draw_pool
from paretofarm.algorithms.port import Proposal, proposal_rng
from paretofarm.algorithms.scattered import propose_scattered
from paretofarm.architecture import Architecture
from paretofarm.described import Row
from paretofarm.history import History
from paretofarm.pareto import front
from paretofarm.search_space import SearchSpace
from paretofarm.strict import Strict
from paretofarm.surrogates.view import View

if TYPE_CHECKING:
    from paretofarm.surrogates.outlook import Outlook

_CHANCE = 0.1
"""Rank correlation of a model's predictions with what was observed, below which it counts as no better than chance."""
_TYPICAL = 100
"""Random architectures, of which the model tells what is nothing special."""
_JUDGED = 20
"""Observations from which on a model is judged at all."""


class SurrogatePareto(Strict):
    """Architectures unlike each other until `initial` candidates are proposed, then, of a pool of children of the front
    and of random ones, always that with the greatest expected hypervolume improvement by Gaussian processes: first of
    all that is better than the worst, which finds the ends of a front, then also of what is better than typical.

    Every objective and every limited metric that is not known beforehand has two models of its own, fitted anew to what
    has been observed, which count alike; limits count as the probability that they are kept. What is being tried counts
    as observed with its prediction, so that many in flight do not crowd. Where candidates are trained by rungs, what
    the lower ones told is part of the model of the last. pool: how many are compared for each call. While a model
    predicts its own observations (each from all others) no better than chance, evolution proposes instead.
    """

    type: Literal["surrogate_pareto"]
    initial: int = Field(12, ge=2, le=100_000)
    pool: int = Field(800, ge=10, le=100_000)

    def propose(self, history: History, space: SearchSpace, *, count: int, seed: int) -> list[Proposal]:
        unguided = min(count, max(0, self.initial - history.proposed))
        if unguided:
            return propose_scattered(history, space, count=unguided, seed=seed)
        # Here, since it loads scipy, which only schedulers need and only those have installed.
        from paretofarm.surrogates.outlook import look_ahead

        outlook = look_ahead(history, space, typical=_typical(space, seed)) if count else None
        if outlook is None or outlook.observations < self.initial // 2:
            return self._blindly(history, space, count, seed)
        if outlook.observations >= _JUDGED and outlook.skill < _CHANCE:
            return self._evolve(history, space, count, seed, remark=outlook.doubt)
        return self._guided(history, space, outlook, count, seed)

    def _blindly(self, history: History, space: SearchSpace, count: int, seed: int) -> list[Proposal]:
        """While too little is known for a model: goes on as it began, unless it is not for want of time."""
        ended = sum(not member.status.in_flight for member in history.members)
        if ended < self.initial:
            return propose_scattered(history, space, count=count, seed=seed)
        return self._evolve(history, space, count, seed)

    def _evolve(
        self, history: History, space: SearchSpace, count: int, seed: int, remark: str | None = None
    ) -> list[Proposal]:
        evolution = EvolutionPareto(type="evolution_pareto", initial=self.initial)
        proposals = evolution.propose(history, space, count=count, seed=seed)
        return [proposal.with_remark(remark) for proposal in proposals] if remark else proposals

    def _guided(
        self, history: History, space: SearchSpace, outlook: "Outlook", count: int, seed: int
    ) -> list[Proposal]:
        rng = proposal_rng(seed, history.proposed)
        pool = draw_pool(space, _parents(history), history.digests, size=self.pool, rng=rng)
        if not pool:
            return self._evolve(history, space, count, seed)
        rows = [space.described.row(proposal.architecture) for proposal in pool]
        return [pool[place] for place in outlook.choose(rows, count)]


def _typical(space: SearchSpace, seed: int) -> list[Row]:
    """Random architectures, the same for all proposals of a search."""
    rng = np.random.default_rng(seed)
    return [space.described.row(space.sample(rng)) for _ in range(_TYPICAL)]


def _parents(history: History) -> list[tuple[int, Architecture]]:
    """The front's members, by number, with their architectures."""
    view = View.of(history)
    numbers = [view.members[place].number for place in front(view.points).tolist()]
    return list(zip(numbers, history.architectures_of(numbers), strict=True))
