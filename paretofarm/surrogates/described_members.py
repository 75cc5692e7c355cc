"""Members of a history as rows of numbers, and a few of many that stand for all."""

from collections.abc import Sequence

import numpy as np

from paretofarm.described import Row
from paretofarm.history import History, Member
from paretofarm.search_space import SearchSpace


def rows_of(history: History, space: SearchSpace, members: Sequence[Member]) -> dict[int, Row]:
    """By number; only what was not described lately is read."""
    recalled = {member.number: space.described.recall(member.digest) for member in members}
    strange = [number for number, row in recalled.items() if row is None]
    described = zip(strange, map(space.described.row, history.architectures_of(strange)), strict=True)
    return {**{number: row for number, row in recalled.items() if row is not None}, **dict(described)}


def spread(members: Sequence[Member], most: int) -> list[Member]:
    """At most so many, evenly over all of them."""
    places = np.unique(np.linspace(0, len(members) - 1, max(0, min(len(members), most))).astype(np.int64))
    return [members[place] for place in places.tolist()]
