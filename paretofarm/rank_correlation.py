"""Whether two lists of numbers put the same things first. Pure; NaN is not expected."""

import numpy as np
from numpy.typing import ArrayLike


def spearman(left: ArrayLike, right: ArrayLike) -> float:
    """Spearman's ρ, ties sharing their mean rank; 0 where one side is constant."""
    ranks = [_ranks(np.asarray(values, dtype=np.float64)) for values in (left, right)]
    deviations = [values - values.mean() for values in ranks]
    spread = float(np.sqrt((deviations[0] ** 2).sum() * (deviations[1] ** 2).sum()))
    return float(deviations[0] @ deviations[1]) / spread if spread else 0.0


def kendall(left: ArrayLike, right: ArrayLike) -> float:
    """Kendall's τ-b, which allows for ties; 0 where one side is constant. Compares all pairs: thousands at most."""
    one, other = (_orders(np.asarray(values, dtype=np.float64)) for values in (left, right))
    untied = float(np.sqrt(np.count_nonzero(one) * np.count_nonzero(other)))
    return float((one * other).sum(dtype=np.int64)) / untied if untied else 0.0


def _ranks(values: np.ndarray) -> np.ndarray:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2.0)[inverse.reshape(-1)])


def _orders(values: np.ndarray) -> np.ndarray:
    """Of every pair -1, 0 or 1, shape [values, values]."""
    return np.asarray(np.sign(values[:, None] - values[None, :]), dtype=np.int8)
