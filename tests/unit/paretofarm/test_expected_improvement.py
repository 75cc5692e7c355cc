"""Expected hypervolume improvement against what it is by definition."""

import itertools

import numpy as np
import pytest

from paretofarm.pareto import hypervolume
from paretofarm.surrogates.improvement import NODES, WEIGHTS, expected_improvement


def by_definition(draws: list[np.ndarray], front: np.ndarray, reference: np.ndarray, candidate: int) -> float:
    """The mean of what each combination of nodes would add."""
    reached = hypervolume(front, reference) if len(front) else 0.0
    total = 0.0
    for nodes in itertools.product(range(len(NODES)), repeat=len(draws)):
        point = np.array([values[candidate, node] for values, node in zip(draws, nodes, strict=True)])
        weight = float(np.prod(WEIGHTS[list(nodes)]))
        total += weight * (hypervolume(np.vstack([front, point]), reference) - reached)
    return total


@pytest.mark.parametrize("objectives", [2, 3])
@pytest.mark.parametrize("members", [0, 1, 20])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_mean_of_what_is_added(objectives: int, members: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    front, reference = rng.random((members, objectives)), np.full(objectives, 0.9)
    means, deviations = rng.random((10, objectives)) * 0.7, rng.random((10, objectives)) * 0.3
    draws = [means[:, [axis]] + deviations[:, [axis]] * NODES for axis in range(objectives)]
    found = expected_improvement(draws, front, reference)
    expected = [by_definition(draws, front, reference, candidate) for candidate in range(10)]
    assert found == pytest.approx(expected, abs=1e-12)


def test_with_one_objective_it_is_the_expected_improvement() -> None:
    draws = [np.array([[0.2] * 5, [0.5] * 5, [0.6] * 5])]
    assert expected_improvement(draws, np.array([[0.5]]), np.array([1.0])) == pytest.approx([0.3, 0.0, 0.0])


def test_equal_coordinates_in_the_front_do_no_harm() -> None:
    front = np.array([[0.2, 0.6], [0.2, 0.6], [0.6, 0.2]])
    draws = [np.full((1, 5), 0.4), np.full((1, 5), 0.4)]
    assert expected_improvement(draws, front, np.ones(2)) == pytest.approx([0.04])


def test_opinions_count_alike() -> None:
    front, reference = np.array([[0.3, 0.7], [0.6, 0.4]]), np.ones(2)
    rng = np.random.default_rng(0)
    first, second = rng.random((6, len(NODES))), rng.random((6, len(NODES)))
    known = np.repeat(rng.random((6, 1)), len(NODES), axis=1)
    apart = [expected_improvement([each, known], front, reference) for each in (first, second)]
    together = expected_improvement([np.hstack([first, second]), known], front, reference)
    assert together == pytest.approx(np.mean(apart, axis=0))


def test_three_objectives_with_equal_coordinates() -> None:
    rng = np.random.default_rng(1)
    front, reference = rng.integers(1, 5, (30, 3)) / 5, np.full(3, 0.9)
    draws = [rng.integers(0, 5, (10, len(NODES))) / 5 for _ in range(3)]
    expected = [by_definition(draws, front, reference, candidate) for candidate in range(10)]
    assert expected_improvement(draws, front, reference) == pytest.approx(expected, abs=1e-12)
