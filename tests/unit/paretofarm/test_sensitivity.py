"""The fit behind a latency: made-up blocks whose truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretofarm.sensitivity import fit, student_quantile

BLOCKS = st.lists(st.floats(-1, 1), min_size=3, max_size=20)


def coverage(blocks: int, scatter: float, *, spread: float = 0.0, shift: float = 0.0) -> float:
    """How often the interval holds the truth, 0. spread: of the sensitivity about 1; shift: of the reference."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(1000):
        shifts = shift + rng.normal(0.0, 0.01, blocks)
        found = fit(rng.normal(1.0, spread) * shifts + rng.normal(0.0, scatter, blocks), shifts)
        hits += found.low <= 0 <= found.high
    return hits / 1000


@pytest.mark.parametrize("blocks", [3, 5, 8, 20])
@pytest.mark.parametrize("scatter", [0.003, 0.01, 0.015])
def test_the_interval_covers_the_truth_as_often_as_it_says(blocks: int, scatter: float) -> None:
    assert coverage(blocks, scatter) >= 0.93


def test_it_also_does_where_the_network_feels_something_else_than_the_reference() -> None:
    assert coverage(5, 0.005, spread=0.2, shift=0.06) >= 0.93


def test_a_block_that_was_disturbed_hardly_counts() -> None:
    steady = np.array([0.0, 0.002, -0.001, 0.001, -0.002, 0.25])
    assert fit(steady, np.zeros(6)).value == pytest.approx(0.0, abs=0.006)


def test_without_a_slowdown_nothing_is_known_about_the_sensitivity() -> None:
    assert fit(np.array([0.1, 0.11, 0.09]), np.zeros(3)).sensitivity == pytest.approx(1.0)


def test_one_block_is_enough_for_a_wide_interval() -> None:
    found = fit(np.array([0.5]), np.array([0.0]))
    assert found.value == pytest.approx(0.5)
    assert found.high - found.low > 0.05


@given(BLOCKS)
def test_the_value_lies_within_the_blocks(logs: list[float]) -> None:
    found = fit(np.array(logs), np.zeros(len(logs)))
    assert min(logs) - 1e-9 <= found.value <= max(logs) + 1e-9
    assert found.low < found.value < found.high


@given(BLOCKS, st.floats(-2, 2))
def test_a_network_twice_as_slow_has_the_same_interval_in_relation(logs: list[float], log: float) -> None:
    before, after = fit(np.array(logs), np.zeros(len(logs))), fit(np.array(logs) + log, np.zeros(len(logs)))
    assert after.high - after.low == pytest.approx(before.high - before.low, rel=1e-6)
    assert after.value == pytest.approx(before.value + log, abs=1e-9)


@pytest.mark.parametrize(("freedom", "exact"), [(4, 2.776), (6, 2.447), (11, 2.201), (30, 2.042), (100, 1.984)])
def test_quantiles_of_student(freedom: int, exact: float) -> None:
    assert student_quantile(freedom) == pytest.approx(exact, rel=0.01)
