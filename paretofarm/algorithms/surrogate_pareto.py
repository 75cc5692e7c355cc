"""Evolution of a Pareto front with models that look ahead: of many possible children the most promising is proposed."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from paretofarm.algorithms.evolution_pareto import EvolutionPareto
from paretofarm.algorithms.pool import draw_pool
from paretofarm.algorithms.port import Proposal, proposal_rng
from paretofarm.architecture import Architecture
from paretofarm.history import History
from paretofarm.pareto import front
from paretofarm.search_space import SearchSpace
from paretofarm.strict import Strict

if TYPE_CHECKING:
    from paretofarm.surrogates.outlook import Outlook

_CHANCE = 0.1
"""Rank correlation of a model's predictions with what was observed, below which it counts as no better than chance."""
_JUDGED = 20
"""Observations from which on a model is judged at all."""


class SurrogatePareto(Strict):
    """Random until `initial` candidates are proposed, then, of a pool of children of the front and of random
    architectures, always the one with the greatest expected hypervolume improvement by Gaussian processes.

    Every objective and every limited metric that is not known beforehand has a model of its own, fitted anew to what
    has been observed; limits count as the probability that they are kept. What is being tried counts as observed with
    its prediction, so that many in flight do not crowd. pool: how many are compared for each call. While a model
    predicts its own observations (each from all others) no better than chance, evolution proposes instead.
    """

    type: Literal["surrogate_pareto"]
    initial: int = Field(12, ge=2, le=100_000)
    pool: int = Field(800, ge=10, le=100_000)

    def propose(self, history: History, space: SearchSpace, *, count: int, seed: int) -> list[Proposal]:
        unguided = min(count, max(0, self.initial - history.proposed))
        if unguided:
            return self._evolve(history, space, unguided, seed)
        # Here, since it loads scipy, which only schedulers need and only those have installed.
        from paretofarm.surrogates.outlook import look_ahead

        outlook = look_ahead(history, space, first=self.initial) if count else None
        if outlook is None or outlook.observations < self.initial // 2:
            return self._evolve(history, space, count, seed)
        if outlook.observations >= _JUDGED and outlook.skill < _CHANCE:
            return self._evolve(history, space, count, seed, remark=outlook.doubt)
        return self._guided(history, space, outlook, count, seed)

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


def _parents(history: History) -> list[tuple[int, Architecture]]:
    """The front's members, by number, with their architectures."""
    numbers = [history.feasible[place].number for place in front(history.points).tolist()]
    return list(zip(numbers, history.architectures_of(numbers), strict=True))
