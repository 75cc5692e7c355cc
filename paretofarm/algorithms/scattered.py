"""A first generation that covers a space: random architectures that are unlike each other."""

import numpy as np

from paretofarm.algorithms.drawing import propose_each
from paretofarm.algorithms.fresh import sample_unseen
from paretofarm.algorithms.port import Origin, Proposal
from paretofarm.history import History
from paretofarm.search_space import SearchSpace
from paretofarm.surrogates.unlike import least_like

DRAWN = 32
"""Random architectures of which the least familiar is taken."""


def propose_scattered(history: History, space: SearchSpace, *, count: int, seed: int) -> list[Proposal]:
    """Each is unlike all that were proposed before, whatever has become of these."""
    rows = [space.described.row(each) for each in history.architectures_of([one.number for one in history.members])]

    def draw(number: int, seen: set[str], rng: np.random.Generator) -> Proposal | None:
        found = [each for each in (sample_unseen(space, seen, rng) for _ in range(DRAWN)) if each is not None]
        if not found:
            return None
        described = [space.described.row(each) for each in found]
        place = least_like(described, rows)
        rows.append(described[place])
        return Proposal(found[place], Origin.RANDOM)

    return propose_each(history, draw, count=count, seed=seed)
