"""Rank correlations are what everybody else computes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from paretofarm.rank_correlation import kendall, spearman

PAIRS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=40)


@given(PAIRS)
def test_they_are_scipys_ties_included(drawn: list[tuple[int, int]]) -> None:
    left, right = np.array(drawn, dtype=float).T
    if len(set(left)) > 1 and len(set(right)) > 1:
        assert spearman(left, right) == pytest.approx(stats.spearmanr(left, right).statistic)
        assert kendall(left, right) == pytest.approx(stats.kendalltau(left, right).statistic)
    else:
        assert (spearman(left, right), kendall(left, right)) == (0.0, 0.0)


def test_the_same_order_is_one_and_the_opposite_minus_one() -> None:
    assert (spearman([1, 2, 9], [0, 5, 6]), kendall([1, 2, 9], [0, 5, 6])) == (1.0, 1.0)
    assert (spearman([1, 2, 9], [6, 5, 0]), kendall([1, 2, 9], [6, 5, 0])) == (-1.0, -1.0)
