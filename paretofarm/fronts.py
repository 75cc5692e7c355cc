"""Which points nothing dominates: by sorting with one or two objectives, by elimination with more."""

from bisect import bisect_left, bisect_right

import numpy as np

_ROUNDS = 20
"""Of elimination, each of which looks at all points at once; what then is left of three objectives is swept."""


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
    rounds = 0
    while len(left) and (rounds < _ROUNDS or points.shape[1] > 3):
        best = points[left[0]]
        equal = (points[left] == best).all(axis=1)
        mask[left[equal]] = True
        left = left[(points[left] < best).any(axis=1)]
        rounds += 1
    mask[left[_by_sweep(points[left])]] = True
    return mask


def _by_sweep(points: np.ndarray) -> np.ndarray:
    """Three objectives, in order of the first: what came before dominates where it is no worse in the other two.

    Of those only the front of the other two is kept, a staircase: y rises, z falls.
    """
    unique, kinds = np.unique(points, axis=0, return_inverse=True)
    mask = np.zeros(len(unique), dtype=bool)
    ys: list[float] = []
    zs: list[float] = []
    for place, (_, y, z) in enumerate(unique.tolist()):
        step = bisect_right(ys, y)
        if step and zs[step - 1] <= z:
            continue
        mask[place] = True
        first = last = bisect_left(ys, y)
        while last < len(zs) and zs[last] >= z:
            last += 1
        ys[first:last], zs[first:last] = [y], [z]
    return np.asarray(mask[kinds.reshape(-1)])
