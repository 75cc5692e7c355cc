"""Boxes that a front of three objectives leaves free."""

import numpy as np
import pytest

from paretofarm.fronts import front_mask
from paretofarm.surrogates.boxes import free_boxes

REFERENCE = np.array([0.9, 1.0, 0.8])


def some_front(seed: int, steps: int | None) -> np.ndarray:
    """steps: values are so many, so that coordinates are equal; None: all differ."""
    rng = np.random.default_rng(seed)
    points = rng.random((60, 3)) if steps is None else rng.integers(steps, size=(60, 3)) / steps
    points = points[(points < REFERENCE).all(axis=1)]
    return np.unique(points[front_mask(points)], axis=0)


def holding(boxes: np.ndarray, point: np.ndarray) -> int:
    """How many boxes hold the point."""
    low, high = boxes[:, [0, 3]], boxes[:, [1, 4]]
    inside = (low < point[[0, 2]]).all(axis=1) & (point[[0, 2]] <= high).all(axis=1) & (point[1] <= boxes[:, 2])
    return int(inside.sum())


@pytest.mark.parametrize("steps", [None, 4])
@pytest.mark.parametrize("seed", range(5))
def test_what_no_member_dominates_is_in_one_box_and_the_rest_in_none(seed: int, steps: int | None) -> None:
    front = some_front(seed, steps)
    boxes = free_boxes(front, REFERENCE)
    for point in np.random.default_rng(seed + 100).random((500, 3)) * REFERENCE:
        dominated = bool((front <= point).all(axis=1).any())
        assert holding(boxes, point) == (0 if dominated else 1)


@pytest.mark.parametrize("steps", [None, 4])
@pytest.mark.parametrize("seed", range(5))
def test_they_are_few(seed: int, steps: int | None) -> None:
    front = some_front(seed, steps)
    assert len(free_boxes(front, REFERENCE)) <= 2 * len(front) + 1


def test_without_a_front_all_is_free() -> None:
    assert free_boxes(np.empty((0, 3)), REFERENCE).tolist() == [[-np.inf, 0.9, 1.0, -np.inf, 0.8]]
