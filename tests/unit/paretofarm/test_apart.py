"""Some of many, evenly apart."""

import numpy as np
import pytest

from paretofarm.apart import apart, of_each_class


@pytest.mark.parametrize("count", [*range(1, 60), 199, 997, 1991])
def test_so_many_of_so_many_are_distinct_reach_both_ends_and_are_as_far_apart(count: int) -> None:
    for wanted in range(1, count + 2):
        chosen = apart(count, wanted)
        assert len(chosen) == min(wanted, count)
        steps = np.diff(chosen)
        if len(chosen) > 1:
            assert (chosen[0], chosen[-1]) == (0, count - 1)
            assert steps.min() >= 1
            assert steps.max() - steps.min() <= 1


def test_of_nothing_and_for_nobody_there_is_none() -> None:
    assert apart(0, 3).tolist() == apart(3, 0).tolist() == of_each_class(np.array([], np.uint8), 3).tolist() == []


@pytest.mark.parametrize(("classes", "count", "wanted"), [(10, 1991, 200), (2, 201, 21), (18, 200, 12), (3, 7, 7)])
def test_of_classes_that_come_in_turn_every_one_is_met_as_often(classes: int, count: int, wanted: int) -> None:
    labels = (np.arange(count) % classes).astype(np.uint8)
    chosen = of_each_class(labels, wanted)
    assert len(set(chosen.tolist())) == wanted
    assert chosen.tolist() == sorted(chosen.tolist())
    found = np.bincount(labels[chosen], minlength=classes)
    assert found.max() - found.min() <= 1


def test_a_class_has_the_part_that_it_has_of_all() -> None:
    labels = np.array([0] * 900 + [1] * 100, np.uint8)
    assert np.bincount(labels[of_each_class(labels, 50)]).tolist() == [45, 5]
