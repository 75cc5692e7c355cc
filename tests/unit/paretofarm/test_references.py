"""Up to where objectives count."""

import numpy as np

from paretofarm.surrogates.references import References

TYPICAL = np.column_stack([np.arange(101.0), np.arange(101.0)[::-1]])
HOPELESS = np.array([[0.0, 1000.0]])
NOTHING = np.empty((0, 2))
SURE = np.ones(2)


def test_a_hopeless_observation_moves_no_corner() -> None:
    reached = np.array([[20.0, 30.0]])
    before = References.of(reached, TYPICAL, reached)
    after = References.of(np.concatenate([reached, HOPELESS]), TYPICAL, np.concatenate([reached, HOPELESS]))
    assert [point.tolist() for point in before.points] == [[50.0, 50.0], [100.0, 100.0]]
    assert [point.tolist() for point in after.points] == [[50.0, 50.0], [100.0, 100.0]]


def test_while_nothing_is_within_it_the_lenient_corner_lies_beyond_all() -> None:
    points = np.array([[10.0, 101.0], [20.0, 110.0]])
    for reached in (points, NOTHING):
        assert (References.of(points, TYPICAL, reached).points[1] > points.max(axis=0)).all()


def test_what_is_better_than_the_front_promises_something_and_what_is_worse_nothing() -> None:
    reached = np.array([[20.0, 30.0]])
    references = References.of(reached, TYPICAL, reached)
    draws = [np.array([[15.0] * 5, [25.0] * 5]), np.array([[25.0] * 5, [35.0] * 5])]
    better, worse = references.improvement(draws, reached, reached, SURE)
    assert better > 0.0
    assert worse == 0.0


def _promises(middle: float, end: float, feasibility: np.ndarray = SURE) -> list[float]:
    """Of one candidate that betters the only member by so much, and of one beyond the demanding corner that much
    better in the first objective; all of it is certain."""
    reached = np.array([[20.0, 30.0]])
    draws = [np.array([[20.0 - middle] * 5, [20.0 - end] * 5]), np.array([[30.0 - middle] * 5, [90.0] * 5])]
    promises = References.of(reached, TYPICAL, reached).improvement(draws, reached, reached, feasibility)
    return [float(promise) for promise in promises]


def test_first_the_ends_of_a_front_count_then_its_middle() -> None:
    early_middle, early_end = _promises(middle=0.4, end=15.0)
    assert early_end > early_middle > 0.0
    late_middle, late_end = _promises(middle=0.05, end=0.8)
    assert late_middle > late_end > 0.0


def test_what_keeps_no_limit_does_not_hold_up_the_middle() -> None:
    middle, end = _promises(middle=0.05, end=15.0, feasibility=np.array([1.0, 0.0]))
    assert end == 0.0
    assert middle == _promises(middle=0.05, end=0.8)[0] != _promises(middle=0.05, end=15.0)[0]
