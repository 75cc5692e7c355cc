"""A front at any moment, from one pass."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from paretofarm.front_course import members_until
from paretofarm.pareto import front


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30))
def test_at_each_moment_they_are_the_front_of_what_had_come(drawn: list[tuple[int, int]]) -> None:
    points = np.array(drawn, dtype=float)
    until = members_until(points)
    for count in range(1, len(points) + 1):
        there = [index for index in range(count) if count < until[index]]
        assert there == front(points[:count]).tolist()


def test_of_nothing_there_is_nothing() -> None:
    assert members_until(np.empty((0, 2))).tolist() == []
