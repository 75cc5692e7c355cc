"""Random search: the control that every other algorithm has to beat."""

from typing import Literal

from paretofarm.algorithms.drawing import propose_each, random_proposal
from paretofarm.algorithms.port import Origin, Proposal
from paretofarm.history import History
from paretofarm.search_space import SearchSpace
from paretofarm.strict import Strict


class RandomSearch(Strict):
    """Every choice uniform, no architecture twice."""

    type: Literal["random"]

    def propose(self, history: History, space: SearchSpace, *, count: int, seed: int) -> list[Proposal]:
        return propose_each(
            history,
            lambda number, seen, rng: random_proposal(Origin.RANDOM, space, seen, rng),
            count=count,
            seed=seed,
        )
