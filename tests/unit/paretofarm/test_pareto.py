import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretofarm.pareto import crowding_distance, front, hypervolume, hypervolume_contributions, non_domination_rank

some = settings(max_examples=150, deadline=None)


@st.composite
def point_sets(draw: st.DrawFn, dimensions: tuple[int, ...] = (1, 2, 3, 4), most: int = 25) -> np.ndarray:
    """Small integers, so that ties and duplicates are common; sometimes infinite or tiny differences."""
    dimension = draw(st.sampled_from(dimensions))
    values = st.one_of(st.integers(0, 6).map(float), st.sampled_from([float("inf"), -1e300, 1e-300, 0.5]))
    rows = draw(st.lists(st.lists(values, min_size=dimension, max_size=dimension), max_size=most))
    return np.array(rows, dtype=np.float64).reshape(len(rows), dimension)


def dominates(a: np.ndarray, b: np.ndarray) -> bool:
    return bool((a <= b).all() and (a < b).any())


def oracle_front(points: np.ndarray) -> list[int]:
    return [i for i, p in enumerate(points) if not any(dominates(q, p) for q in points)]


def oracle_ranks(points: np.ndarray, better) -> list[int]:
    """Peels fronts by comparing every pair."""
    ranks = [-1] * len(points)
    left = list(range(len(points)))
    for rank in itertools.count():
        if not left:
            return ranks
        best = [i for i in left if not any(better(j, i) for j in left)]
        for i in best:
            ranks[i] = rank
        left = [i for i in left if i not in best]
    raise AssertionError


@some
@given(points=point_sets())
def test_front_agrees_with_comparing_every_pair(points: np.ndarray) -> None:
    assert front(points).tolist() == oracle_front(points)


@some
@given(points=point_sets())
def test_ranks_agree_with_comparing_every_pair(points: np.ndarray) -> None:
    expected = oracle_ranks(points, lambda i, j: dominates(points[i], points[j]))
    assert non_domination_rank(points).tolist() == expected


@some
@given(points=point_sets(), data=st.data())
def test_constrained_ranks_agree_with_debs_definition(points: np.ndarray, data: st.DataObject) -> None:
    violations = data.draw(
        st.lists(st.sampled_from([0.0, 0.0, 0.5, 1.0, 2.0]), min_size=len(points), max_size=len(points))
    )

    def better(i: int, j: int) -> bool:
        if violations[i] == 0 and violations[j] == 0:
            return dominates(points[i], points[j])
        return violations[i] < violations[j]

    assert non_domination_rank(points, violations).tolist() == oracle_ranks(points, better)


@pytest.mark.parametrize("kinds", [4, 40, 1000])
def test_a_large_front_of_three_objectives_is_that_of_the_definition(kinds: int) -> None:
    rng = np.random.default_rng(kinds)
    points = rng.integers(0, kinds, (300, 3)).astype(np.float64)
    points[:, 2] = 2 * kinds - points[:, 0] - points[:, 1] + rng.integers(0, 2, 300)
    assert len(front(points)) > 30
    assert front(points).tolist() == oracle_front(points)


@pytest.mark.parametrize("dimension", [1, 2, 3, 4])
@pytest.mark.parametrize("kinds", [5, 60, 10**9])
def test_the_first_ranks_of_many_points_are_those_of_the_definition(dimension: int, kinds: int) -> None:
    rng = np.random.default_rng(kinds + dimension)
    points = rng.integers(0, kinds, (1500, dimension)) / kinds
    points[rng.random(points.shape) < 0.01] = np.inf
    points[-100:] = points[:100]
    left = np.arange(len(points))
    ranks = non_domination_rank(points, enough=400)
    for rank in range(min(20, int(ranks.max()))):
        peers = left[mask_by_pairs(points[left])]
        assert np.flatnonzero(ranks == rank).tolist() == peers.tolist()
        left = np.setdiff1d(left, peers)
    assert front(points).tolist() == np.flatnonzero(mask_by_pairs(points)).tolist()


def mask_by_pairs(points: np.ndarray) -> np.ndarray:
    """True where no other point dominates."""
    no_worse = np.ones((len(points), len(points)), dtype=bool)
    better = np.zeros_like(no_worse)
    for values in points.T:
        no_worse &= values[:, None] <= values
        better |= values[:, None] < values
    return ~(no_worse & better).any(axis=0)


@some
@given(points=point_sets(), data=st.data())
def test_the_order_of_points_does_not_matter(points: np.ndarray, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(points))))
    assert non_domination_rank(points[order]).tolist() == non_domination_rank(points)[order].tolist()
    assert {order[i] for i in front(points[order])} == set(front(points).tolist())


@some
@given(points=point_sets(), enough=st.integers(1, 10))
def test_ranks_are_exact_until_enough_have_one(points: np.ndarray, enough: int) -> None:
    exact = non_domination_rank(points)
    early = non_domination_rank(points, enough=enough)
    last = early.max(initial=-1)
    assert (np.minimum(exact, last) == early).all()
    assert last == exact.max(initial=-1) or (early < last).sum() >= enough


def test_duplicates_are_both_on_the_front() -> None:
    assert front([[1, 2], [1, 2], [2, 1], [2, 2]]).tolist() == [0, 1, 2]


def test_nothing_has_an_empty_front() -> None:
    assert front([]).tolist() == []
    assert non_domination_rank([]).tolist() == []
    assert crowding_distance([]).tolist() == []
    assert hypervolume([], [1, 1]) == 0


def test_an_infeasible_point_never_comes_before_a_feasible_one() -> None:
    assert non_domination_rank([[9, 9], [0, 0], [1, 1]], [0, 0.1, 0.05]).tolist() == [0, 2, 1]


@pytest.mark.parametrize("function", [front, non_domination_rank, crowding_distance])
def test_nan_is_refused(function) -> None:
    with pytest.raises(ValueError, match="NaN"):
        function([[1.0, float("nan")]])


def test_nan_is_refused_as_a_violation_and_in_volumes() -> None:
    with pytest.raises(ValueError, match="violations must be 1 numbers"):
        non_domination_rank([[1.0, 2.0]], [float("nan")])
    with pytest.raises(ValueError, match="NaN"):
        hypervolume([[1.0, float("nan")]], [2, 2])


def test_points_need_two_axes() -> None:
    with pytest.raises(ValueError, match=r"shape \[points, objectives\], got \[3\]"):
        front([1.0, 2.0, 3.0])


def test_crowding_is_the_scaled_distance_between_neighbours() -> None:
    distances = crowding_distance([[0, 10], [1, 6], [4, 4], [10, 0]])
    assert distances[[0, 3]].tolist() == [np.inf, np.inf]
    assert distances[1] == pytest.approx(4 / 10 + 6 / 10)
    assert distances[2] == pytest.approx(9 / 10 + 6 / 10)


def test_crowding_of_equal_points_is_finite_in_the_middle() -> None:
    assert crowding_distance([[1, 1], [1, 1], [1, 1]]).tolist() == [np.inf, 0, np.inf]


@some
@given(points=point_sets(dimensions=(2, 3), most=7))
def test_hypervolume_agrees_with_inclusion_and_exclusion(points: np.ndarray) -> None:
    corner = np.full(points.shape[1], 5.0)
    points = np.clip(points, 0, 9)
    boxes = [p for p in points if (p < corner).all()]
    expected = 0.0
    for size in range(1, len(boxes) + 1):
        for subset in itertools.combinations(boxes, size):
            expected += (-1) ** (size + 1) * float(np.prod(corner - np.max(subset, axis=0)))
    assert hypervolume(points, corner) == pytest.approx(expected)


@pytest.mark.parametrize("dimension", [2, 3])
def test_hypervolume_agrees_with_monte_carlo(dimension: int) -> None:
    rng = np.random.default_rng(dimension)
    points = rng.random((30, dimension))
    darts = rng.random((100_000, dimension))
    hit = np.zeros(len(darts), dtype=bool)
    for point in points:
        hit |= (darts >= point).all(axis=1)
    assert hypervolume(points, np.ones(dimension)) == pytest.approx(hit.mean(), abs=0.006)


@some
@given(points=point_sets(dimensions=(2, 3), most=10), seed=st.integers(0, 100))
def test_one_more_point_never_shrinks_the_hypervolume(points: np.ndarray, seed: int) -> None:
    corner = np.full(points.shape[1], 5.0)
    points = np.clip(points, 0, 9)
    more = np.vstack((points, np.random.default_rng(seed).random(points.shape[1]) * 6))
    assert hypervolume(more, corner) >= hypervolume(points, corner) - 1e-9
    assert hypervolume(more[::-1], corner) == pytest.approx(hypervolume(more, corner))


def test_the_hypervolume_of_one_point_is_its_box() -> None:
    assert hypervolume([[1, 2]], [4, 4]) == 6
    assert hypervolume([[1, 2, 3]], [4, 4, 4]) == 6
    assert hypervolume([[1, 2], [9, 0]], [4, 4]) == 6


@pytest.mark.parametrize("reference", [[1.0], [1.0] * 4, [1.0, float("nan")], [1.0, float("inf")]])
def test_other_references_are_refused(reference: list[float]) -> None:
    with pytest.raises(ValueError, match="2 or 3 finite numbers"):
        hypervolume([[0.0] * len(reference)], reference)


def test_a_reference_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="points have 3 objectives, the reference has 2"):
        hypervolume([[0, 0, 0]], [1, 1])


def test_ten_thousand_points_are_ranked_within_fifty_milliseconds() -> None:
    points = np.random.default_rng(0).random((10_000, 2))
    times = []
    for _ in range(5):
        started = time.process_time()
        assert non_domination_rank(points).min() == 0
        times.append(time.process_time() - started)
    assert min(times) < 0.05


@some
@given(st.sampled_from([2, 3]), st.data())
def test_a_contribution_is_what_the_hypervolume_loses(dimension: int, data: st.DataObject) -> None:
    coordinates = st.lists(st.integers(0, 8), min_size=dimension, max_size=dimension)
    rows = np.array(data.draw(st.lists(coordinates, min_size=1, max_size=12)), dtype=np.float64)
    peers = rows[front(rows)]
    reference = np.full(dimension, 7.5)
    whole = hypervolume(peers, reference)
    without = [hypervolume(np.delete(peers, index, axis=0), reference) for index in range(len(peers))]
    assert hypervolume_contributions(peers, reference) == pytest.approx(whole - np.array(without))
