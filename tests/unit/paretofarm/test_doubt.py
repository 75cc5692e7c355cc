"""Fronts of what is known within intervals only."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from paretofarm.doubt import in_doubt, undominated
from paretofarm.pareto import front

GRID = st.integers(0, 6)


def cases(dimensions: int) -> st.SearchStrategy[list[tuple[list[int], list[int]]]]:
    """Points with how far each may be off."""
    point = st.lists(GRID, min_size=dimensions, max_size=dimensions)
    return st.lists(st.tuples(point, point), min_size=1, max_size=25)


@given(st.integers(1, 3).flatmap(cases))
def test_a_point_is_shown_unless_another_beats_it_for_sure(drawn: list[tuple[list[int], list[int]]]) -> None:
    values = np.array([point for point, _ in drawn], dtype=float)
    spread = np.array([spread for _, spread in drawn], dtype=float) / 2
    lows, highs = values - spread, values + spread
    expected = [
        index for index, low in enumerate(lows) if not any((high <= low).all() and (high < low).any() for high in highs)
    ]
    assert undominated(lows, highs).tolist() == expected
    sure = front(values)
    assert set(sure.tolist()) <= set(expected)
    assert sorted(in_doubt(values, lows, highs, sure).tolist()) == sorted(set(expected) - set(sure.tolist()))


def test_the_nearest_come_first() -> None:
    values = np.array([[0.0, 10.0], [10.0, 0.0], [12.0, 12.0], [5.0, 11.0], [1.0, 10.5]])
    wide = np.full_like(values, 20.0)
    assert in_doubt(values, values - wide, values + wide, front(values)).tolist() == [4, 3, 2]


def test_without_intervals_nobody_is_in_doubt() -> None:
    values = np.array([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0]])
    assert in_doubt(values, values, values, front(values)).tolist() == []
    assert in_doubt(values[:0], values[:0], values[:0], front(values[:0])).tolist() == []
