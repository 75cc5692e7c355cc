"""Points whose objectives are known within intervals: which of them may be on the front. Everything is minimised."""

import numpy as np

from paretofarm.pareto import front

LANDMARKS = 200
"""Members of a front that a distance is measured to, evenly spaced, where it has more."""


def in_doubt(values: np.ndarray, lows: np.ndarray, highs: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """Indices of the points that are not among the sure ones but may be on the front; the nearest to it first.

    Shapes [points, objectives]; sure: indices of the front of the values. Nearness: by which share of each objective's
    range a point would have to be better in order not to be dominated.
    """
    unsure = np.setdiff1d(undominated(lows, highs), sure)
    if len(unsure) == 0:
        return unsure
    members = values[sure][np.argsort(values[sure, 0], kind="stable")]
    members = members[np.unique(np.linspace(0, len(members) - 1, LANDMARKS).astype(int))]
    span = np.ptp(values, axis=0)
    span[span == 0] = 1.0
    distance = np.full(len(unsure), -np.inf)
    for member in members:
        distance = np.maximum(distance, ((values[unsure] - member) / span).min(axis=1))
    return np.asarray(unsure[np.argsort(distance, kind="stable")])


def undominated(lows: np.ndarray, highs: np.ndarray) -> np.ndarray:
    """Indices of the points that no other dominates for sure: whose best case no other's worst case beats.

    Only members of the front of worst cases can beat anybody.
    """
    if len(lows) == 0:
        return np.empty(0, dtype=np.int64)
    rivals = highs[front(highs)]
    if lows.shape[1] == 2:
        return np.flatnonzero(~_beaten_on_stairs(lows, rivals))
    beaten = np.zeros(len(lows), dtype=bool)
    for rival in rivals:
        beaten |= (rival <= lows).all(axis=1) & (rival < lows).any(axis=1)
    return np.flatnonzero(~beaten)


def _beaten_on_stairs(lows: np.ndarray, rivals: np.ndarray) -> np.ndarray:
    """Two objectives: by the lowest rival that is not to the right, or as low and to the left."""
    ordered = rivals[np.lexsort((rivals[:, 1], rivals[:, 0]))]
    stairs = np.concatenate(([np.inf], np.minimum.accumulate(ordered[:, 1])))
    beside = stairs[np.searchsorted(ordered[:, 0], lows[:, 0], side="right")]
    left = stairs[np.searchsorted(ordered[:, 0], lows[:, 0], side="left")]
    return np.asarray((beside < lows[:, 1]) | (left <= lows[:, 1]))
