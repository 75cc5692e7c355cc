"""What all algorithms share: a proposal for each number, none twice, and random ones where nothing else is left."""

from collections.abc import Callable

import numpy as np

from paretofarm.algorithms.fresh import sample_unseen
from paretofarm.algorithms.port import Origin, Proposal, proposal_rng
from paretofarm.history import History
from paretofarm.search_space import SearchSpace

ATTEMPTS = 20
"""At making a child that nobody has tried yet."""

Draw = Callable[[int, set[str], np.random.Generator], Proposal | None]
"""Of a proposal's number, the digests tried so far, and its generator: something new, or None where nothing is left."""


def propose_each(history: History, draw: Draw, *, count: int, seed: int) -> list[Proposal]:
    """Up to `count` proposals, each from its own generator; fewer once `draw` gives none."""
    seen = set(history.digests)
    proposals: list[Proposal] = []
    for number in range(history.proposed, history.proposed + count):
        proposal = draw(number, seen, proposal_rng(seed, number))
        if proposal is None:
            break
        seen.add(proposal.architecture.digest)
        proposals.append(proposal)
    return proposals


def first_unseen(make: Callable[[], Proposal | None], seen: set[str]) -> Proposal | None:
    """The first thing made that nobody has tried; None after so many attempts."""
    for _ in range(ATTEMPTS):
        proposal = make()
        if proposal is not None and proposal.architecture.digest not in seen:
            return proposal
    return None


def random_proposal(origin: Origin, space: SearchSpace, seen: set[str], rng: np.random.Generator) -> Proposal | None:
    """A random architecture that nobody has tried; None where there is none left."""
    architecture = sample_unseen(space, seen, rng)
    return Proposal(architecture, origin) if architecture is not None else None
