"""Which points nothing dominates: of few points by sorting with up to three objectives, by elimination with more."""

from bisect import bisect_left, bisect_right

import numpy as np

_MANY = 1024
"""Points from which on it pays to look first for those that a few dominate: sorting costs most."""

_SAMPLE = 256
_FEW = 32


def front_mask(points: np.ndarray) -> np.ndarray:
    """Bool, shape [points]; True where no other point is at least as good in all and better in one objective."""
    if len(points) < _MANY:
        return _mask_of_few(points)
    left = np.flatnonzero(~_dominated_by_few(points))
    mask = np.zeros(len(points), dtype=bool)
    mask[left[_mask_of_few(points[left])]] = True
    return mask


def _dominated_by_few(points: np.ndarray) -> np.ndarray:
    """Bool, shape [points]; True only where one of a few points of a sample's front dominates."""
    sample = points[:: len(points) // _SAMPLE]
    front = sample[_mask_of_few(sample)]
    columns = np.ascontiguousarray(points.T)
    dominated = np.zeros(len(points), dtype=bool)
    for point in front[:: len(front) // _FEW + 1].tolist():
        worse = columns[0] > point[0]  # so that it is not the same point
        for column, value in zip(columns[1:], point[1:], strict=True):
            worse &= column >= value
        dominated |= worse
    return dominated


def _mask_of_few(points: np.ndarray) -> np.ndarray:
    if len(points) == 0:
        return np.zeros(0, dtype=bool)
    if points.shape[1] == 1:
        return np.asarray(points[:, 0] == points[:, 0].min())
    if points.shape[1] == 2:
        return _by_sorting(points)
    return _by_sweep(points) if points.shape[1] == 3 else _by_elimination(points)


def _by_sorting(points: np.ndarray) -> np.ndarray:
    """In order of the first objective, then the second: a point is on the front if its second is a new low."""
    order = _lexicographic(points)
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


def _by_sweep(points: np.ndarray) -> np.ndarray:
    """Three objectives, in lexicographic order: what came before dominates where it is no worse in the last two.

    Of those only the front of the last two is kept, a staircase: y rises, z falls.
    """
    order = _lexicographic(points)
    ordered = points[order]
    fresh = np.ones(len(points), dtype=bool)
    fresh[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    kinds = ordered[fresh, 1:].tolist()
    is_low = np.zeros(len(kinds), dtype=bool)
    ys: list[float] = []
    zs: list[float] = []
    for place, (y, z) in enumerate(kinds):
        step = bisect_right(ys, y)
        if step and zs[step - 1] <= z:
            continue
        is_low[place] = True
        first = last = bisect_left(ys, y)
        while last < len(zs) and zs[last] >= z:
            last += 1
        ys[first:last], zs[first:last] = [y], [z]
    mask = np.empty(len(points), dtype=bool)
    mask[order] = is_low[np.cumsum(fresh) - 1]
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


def _lexicographic(points: np.ndarray) -> np.ndarray:
    """The order by the first objective, then by the others; sorting by one takes a tenth of the time of both."""
    order = np.argsort(points[:, 0])
    first = points[order, 0]
    return np.lexsort(points.T[::-1]) if (first[1:] == first[:-1]).any() else order
