"""Up to where objectives count."""

import numpy as np

from paretofarm.surrogates.references import References

TYPICAL = np.column_stack([np.arange(101.0), np.arange(101.0)[::-1]])
HOPELESS = np.array([[0.0, 1000.0]])
NOTHING = np.empty((0, 2))


def test_a_hopeless_observation_moves_no_corner() -> None:
    reached = np.array([[20.0, 30.0]])
    before = References.of(reached, TYPICAL, reached)
    after = References.of(np.concatenate([reached, HOPELESS]), TYPICAL, np.concatenate([reached, HOPELESS]))
    assert [point.tolist() for point in before.points] == [[50.0, 50.0], [90.0, 90.0]]
    assert [point.tolist() for point in after.points] == [[50.0, 50.0], [90.0, 90.0]]


def test_while_nothing_is_within_it_the_lenient_corner_lies_beyond_all() -> None:
    points = np.array([[10.0, 95.0], [20.0, 99.0]])
    for reached in (points, NOTHING):
        assert (References.of(points, TYPICAL, reached).points[1] > points.max(axis=0)).all()


def test_what_is_better_than_the_front_promises_something_and_what_is_worse_nothing() -> None:
    reached = np.array([[20.0, 30.0]])
    references = References.of(reached, TYPICAL, reached)
    draws = [np.array([[15.0] * 5, [25.0] * 5]), np.array([[25.0] * 5, [35.0] * 5])]
    better, worse = references.improvement(draws, reached, reached)
    assert better > 0.0
    assert worse == 0.0
