"""Random search: the control that every other algorithm has to beat."""

from typing import Literal

from paretofarm.algorithms.fresh import sample_unseen
from paretofarm.algorithms.port import Origin, Proposal, proposal_rng
from paretofarm.history import History
from paretofarm.search_space import SearchSpace
from paretofarm.strict import Strict


class RandomSearch(Strict):
    """Every choice uniform, no architecture twice."""

    type: Literal["random"]

    def propose(self, history: History, space: SearchSpace, *, count: int, seed: int) -> list[Proposal]:
        seen = set(history.digests)
        proposals: list[Proposal] = []
        for number in range(history.proposed, history.proposed + count):
            architecture = sample_unseen(space, seen, proposal_rng(seed, number))
            if architecture is None:
                break
            seen.add(architecture.digest)
            proposals.append(Proposal(architecture, Origin.RANDOM))
        return proposals
