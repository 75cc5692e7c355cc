"""Pareto arithmetic on arrays of shape [points, objectives]. Everything is minimised; NaN is refused everywhere."""

from bisect import bisect_left, bisect_right

import numpy as np
from numpy.typing import ArrayLike

from paretofarm.fronts import front_mask


def front(points: ArrayLike) -> np.ndarray:
    """Indices, ascending, of the points that no other dominates. Of equal points all are kept or none."""
    return np.flatnonzero(front_mask(_checked(points)))


def non_domination_rank(
    points: ArrayLike, violations: ArrayLike | None = None, *, enough: int | None = None
) -> np.ndarray:
    """Rank of every point: 0 for the front, 1 for the front of the rest, and so on.

    violations, shape [points], 0 where feasible: Deb's constrained dominance. Feasible points come before infeasible
    ones, and those by how little they violate. enough: stop once so many points have their rank, all others share the
    next one; saves time with two or more objectives.
    """
    array = _checked(points)
    if violations is None:
        return _ranks(array, enough)
    broken = _checked_violations(violations, len(array))
    ranks = np.zeros(len(array), dtype=np.int64)
    feasible = broken <= 0
    ranks[feasible] = _ranks(array[feasible], enough)
    _, order = np.unique(broken[~feasible], return_inverse=True)
    ranks[~feasible] = order + (ranks[feasible].max() + 1 if feasible.any() else 0)
    return ranks


def crowding_distance(points: ArrayLike) -> np.ndarray:
    """How far apart the neighbours of each point are, summed over objectives, each scaled to its range (Deb).

    For points of one rank. Infinite at the ends of every objective; one point alone, or two, are infinite.
    """
    array = _checked(points)
    distances = np.zeros(len(array))
    for values in array.T:
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        span = ordered[-1] - ordered[0] if len(ordered) else 0.0
        distances[order[:1]] = distances[order[-1:]] = np.inf
        if span > 0:
            distances[order[1:-1]] += (ordered[2:] - ordered[:-2]) / span
    return distances


def hypervolume(points: ArrayLike, reference: ArrayLike) -> float:
    """Exact volume that is dominated by the points and bounded by the reference; 2 or 3 objectives.

    Points that are not better than the reference in every objective add nothing.
    """
    array, corner = _checked(points), np.asarray(reference, dtype=np.float64)
    if corner.shape not in ((2,), (3,)) or not np.isfinite(corner).all():
        raise ValueError("the hypervolume's reference needs 2 or 3 finite numbers")
    if len(array) == 0:
        return 0.0
    if array.shape[1] != len(corner):
        raise ValueError(f"points have {array.shape[1]} objectives, the reference has {len(corner)}")
    array = array[(array < corner).all(axis=1)]
    if len(array) == 0:
        return 0.0
    array = np.unique(array[front_mask(array)], axis=0)
    return _area(array, corner) if len(corner) == 2 else _volume(array, corner)


def hypervolume_contributions(points: ArrayLike, reference: ArrayLike) -> np.ndarray:
    """How much smaller the hypervolume of a front would be without each of its points; 2 or 3 objectives.

    points: none dominates another (one rank). 0 for a point that is there twice and for one beyond the reference.
    """
    array, corner = _checked(points), np.asarray(reference, dtype=np.float64)
    whole = hypervolume(array, corner)
    if len(array) > 1 and array.shape[1] == 2:
        return _area_contributions(array, corner)
    if len(array) == 1:
        return np.array([whole])
    return np.array([_own_volume(array, index, corner) for index in range(len(array))])


def _area_contributions(points: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """The rectangle between a point and its neighbours along the front, cut at the corner."""
    order = np.lexsort((points[:, 1], points[:, 0]))
    x, y = np.minimum(points[order], corner).T
    width = np.append(x[1:], corner[0]) - x
    height = np.insert(y[:-1], 0, corner[1]) - y
    contributions = np.empty(len(points))
    contributions[order] = np.maximum(width, 0.0) * np.maximum(height, 0.0)
    return contributions


def _own_volume(points: np.ndarray, index: int, corner: np.ndarray) -> float:
    """Its box to the corner, less what the others dominate of that (they are clipped into the box)."""
    point = points[index]
    if not (point < corner).all():
        return 0.0
    others = np.maximum(np.delete(points, index, axis=0), point)
    return float(np.prod(corner - point)) - hypervolume(others, corner)


def _checked(points: ArrayLike) -> np.ndarray:
    array = np.asarray(points, dtype=np.float64)
    if array.size == 0 and array.ndim < 2:
        return np.empty((0, 2))
    if array.ndim != 2 or array.shape[1] == 0:
        raise ValueError(f"points must have shape [points, objectives], got {list(array.shape)}")
    if np.isnan(array).any():
        raise ValueError("a point with NaN can be neither better nor worse than another")
    return array


def _checked_violations(violations: ArrayLike, count: int) -> np.ndarray:
    array = np.asarray(violations, dtype=np.float64)
    if array.shape != (count,) or np.isnan(array).any():
        raise ValueError(f"violations must be {count} numbers, none of them NaN")
    return array


def _ranks(points: np.ndarray, enough: int | None) -> np.ndarray:
    if points.shape[1] == 1:
        return np.unique(points[:, 0], return_inverse=True)[1].astype(np.int64)
    return _ranks_2d(points) if points.shape[1] == 2 and enough is None else _ranks_by_peeling(points, enough)


def _ranks_2d(points: np.ndarray) -> np.ndarray:
    """In lexicographic order, where a point is dominated by those before it that are no higher, and by no others.

    A point belongs to the first front whose lowest height so far is above its. Those lows never decrease from front to
    front, so bisection finds it.
    """
    order = np.lexsort((points[:, 1], points[:, 0]))
    ordered = points[order]
    fresh = np.ones(len(points), dtype=bool)
    fresh[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    lows: list[float] = []
    by_kind: list[int] = []
    for y in ordered[fresh, 1].tolist():
        rank = bisect_right(lows, y)
        lows[rank : rank + 1] = [y]
        by_kind.append(rank)
    ranks = np.empty(len(points), dtype=np.int64)
    ranks[order] = np.array(by_kind, dtype=np.int64)[np.cumsum(fresh) - 1]  # equal points share a rank
    return ranks


def _ranks_by_peeling(points: np.ndarray, enough: int | None) -> np.ndarray:
    ranks = np.zeros(len(points), dtype=np.int64)
    left = np.arange(len(points))
    rank = 0
    while len(left):
        ranks[left] = rank
        if enough is not None and len(points) - len(left) >= enough:
            break
        left = left[~front_mask(points[left])]
        rank += 1
    return ranks


def _area(points: np.ndarray, corner: np.ndarray) -> float:
    """Points: a front in lexicographic order, so the second coordinate falls; at least one."""
    heights = np.concatenate(([corner[1]], points[:-1, 1])) - points[:, 1]
    return float(((corner[0] - points[:, 0]) * heights).sum())


def _volume(points: np.ndarray, corner: np.ndarray) -> float:
    """Sweep along the third objective: between two levels lies the area of all points below, times the distance.

    Of those points only the front of the first two objectives is kept, a staircase: x rises, y falls.
    """
    xs: list[float] = []
    ys: list[float] = []
    right, ceiling, top = corner.tolist()
    area = volume = level = 0.0
    for x, y, z in points[np.argsort(points[:, 2], kind="stable")].tolist():
        volume += area * (z - level) if area else 0.0
        level = z
        first = last = bisect_left(xs, x)
        left, height = x, ys[first - 1] if first else ceiling
        if height <= y or (first < len(xs) and xs[first] == x and ys[first] <= y):
            continue
        while last < len(xs) and ys[last] >= y:  # what no longer is on the staircase
            area += (xs[last] - left) * (height - y)
            left, height = xs[last], ys[last]
            last += 1
        area += ((xs[last] if last < len(xs) else right) - left) * (height - y)
        xs[first:last], ys[first:last] = [x], [y]
    return float(volume + area * (top - level))
