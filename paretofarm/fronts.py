"""Which points nothing dominates: by sorting with one or two objectives, by elimination with more."""

import numpy as np


def front_mask(points: np.ndarray) -> np.ndarray:
    """Bool, shape [points]; True where no other point is at least as good in all and better in one objective."""
    if len(points) == 0:
        return np.zeros(0, dtype=bool)
    if points.shape[1] == 1:
        return np.asarray(points[:, 0] == points[:, 0].min())
    return _by_sorting(points) if points.shape[1] == 2 else _by_elimination(points)


def _by_sorting(points: np.ndarray) -> np.ndarray:
    """In order of the first objective, then the second: a point is on the front if its second is a new low."""
    order = np.lexsort((points[:, 1], points[:, 0]))
    x, y = points[order].T
    lows = np.concatenate(([np.inf], np.minimum.accumulate(y)[:-1]))
    fresh = np.ones(len(points), dtype=bool)
    fresh[1:] = (x[1:] != x[:-1]) | (y[1:] != y[:-1])
    # A duplicate shares the fate of the first of its kind. A y of inf can only be a low where it is the first point.
    is_low = y < lows
    is_low[0] = True
    groups = np.cumsum(fresh) - 1
    mask = np.empty(len(points), dtype=bool)
    mask[order] = is_low[fresh][groups]
    return mask


def _by_elimination(points: np.ndarray) -> np.ndarray:
    """The point with the smallest sum of ranks is on the front: drop what it dominates, go on with the rest.

    Ranks, not values: no objective's scale decides which points are looked at first, and infinities do no harm.
    """
    mask = np.zeros(len(points), dtype=bool)
    ranks = [np.unique(values, return_inverse=True)[1] for values in points.T]
    left = np.argsort(np.sum(ranks, axis=0), kind="stable")
    while len(left):
        best = points[left[0]]
        equal = (points[left] == best).all(axis=1)
        mask[left[equal]] = True
        left = left[(points[left] < best).any(axis=1)]
    return mask
