"""Proposals that would break a limit for all that is known are not made: others are drawn in their place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paretofarm.algorithms.port import Proposal, SearchAlgorithm
from paretofarm.architecture import Architecture
from paretofarm.history import History
from paretofarm.search_space import SearchSpace

ROUNDS = 32
"""Of drawing anew in one call: where nearly all of a space is too slow, some of that has to be measured after all."""

Hopeless = Callable[[Sequence[Architecture]], Sequence[bool]]
"""Which of these break a limit with near certainty."""


@dataclass(frozen=True)
class Screened:
    """passed_over: how many architectures were drawn and not proposed."""

    proposals: tuple[Proposal, ...]
    passed_over: int = 0


def propose_screened(
    algorithm: SearchAlgorithm, history: History, space: SearchSpace, *, count: int, seed: int, hopeless: Hopeless
) -> Screened:
    """What the algorithm proposes once all that is hopeless counts as tried; it depends on the arguments alone.

    After the last round what is not hopeless is proposed, and where everything is, that: a search must go on, and
    a model that is wrong is to be found out.
    """
    first: Sequence[Proposal] = ()
    refused: set[str] = set()
    for _ in range(ROUNDS):
        proposals = algorithm.propose(history.passing_over(refused), space, count=count, seed=seed)
        first = first or proposals
        verdicts = hopeless([proposal.architecture for proposal in proposals]) if proposals else ()
        kept = [proposal for proposal, is_out in zip(proposals, verdicts, strict=True) if not is_out]
        if len(kept) == len(proposals):
            break
        refused.update(each.architecture.digest for each, is_out in zip(proposals, verdicts, strict=True) if is_out)
    return Screened(tuple(kept or first), len(refused) if kept else 0)
