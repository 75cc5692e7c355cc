"""How a front's hypervolume grew."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretofarm.hypervolume_course import FIRST, course, yardstick
from paretofarm.pareto import hypervolume

POINTS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=FIRST, max_size=40)


@given(POINTS)
def test_each_step_is_the_hypervolume_of_the_points_so_far(drawn: list[tuple[int, int]]) -> None:
    points = np.array(drawn, dtype=float)
    by = yardstick(points)
    if by is None:
        assert hypervolume(points[:FIRST], points[:FIRST].max(axis=0)) == 0
        return
    steps = dict(course(points, by))
    value = 0.0
    for count in range(1, len(points) + 1):
        now = hypervolume(points[:count], by.corner) / by.unit
        assert (count in steps) == (now > value)
        value = max(value, now)
        assert steps.get(count, value) == pytest.approx(now)


def test_there_is_no_yardstick_for_few_points_or_one_objective() -> None:
    assert yardstick(np.zeros((FIRST - 1, 2))) is None
    assert yardstick(np.arange(20.0).reshape(20, 1)) is None
    assert yardstick(np.zeros((FIRST, 2))) is None


def test_the_first_points_are_one_unit() -> None:
    points = np.array([[9.0 - n, float(n)] for n in range(10)])
    by = yardstick(points)
    assert by is not None
    assert dict(course(points, by))[FIRST - 1] == 1.0
