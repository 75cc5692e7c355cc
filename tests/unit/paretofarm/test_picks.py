"""Three members of a front."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretofarm.pareto import front
from paretofarm.picks import Pick, picks


def test_they_are_both_ends_and_the_one_nearest_to_the_best_of_all() -> None:
    points = np.array([[5.0, 5.0], [1.0, 9.0], [2.0, 3.0], [4.0, 2.5], [9.0, 1.0]])
    assert picks(points) == {Pick.CHEAPEST: 1, Pick.KNEE: 2, Pick.BEST: 4}
    assert list(picks(points)) == list(Pick)


@pytest.mark.parametrize(
    ("points", "found"),
    [
        ([], {}),
        ([[1.0, 2.0], [3.0, 4.0]], {Pick.BEST: 0}),
        ([[1.0, 2.0], [2.0, 1.0]], {Pick.CHEAPEST: 0, Pick.BEST: 1}),
        ([[3.0], [1.0], [2.0]], {Pick.BEST: 1}),
    ],
)
def test_a_small_front_has_fewer(points: list[list[float]], found: dict[Pick, int]) -> None:
    assert picks(np.array(points)) == found


@given(st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=1, max_size=30))
def test_they_are_different_members_of_the_front(drawn: list[tuple[int, int, int]]) -> None:
    points = np.array(drawn, dtype=float)
    found = picks(points)
    assert len(set(found.values())) == len(found) >= 1
    assert set(found.values()) <= set(front(points).tolist())
