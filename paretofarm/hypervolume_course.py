"""How a front's hypervolume grew, point by point."""

from dataclasses import dataclass

import numpy as np

from paretofarm.pareto import front, hypervolume

FIRST = 8
"""The reference is the worst of so many first points, in each objective: it never moves, so the course only grows."""


@dataclass(frozen=True)
class Yardstick:
    """What hypervolumes are measured by: from which corner, and in units of what. Minimised."""

    corner: np.ndarray
    unit: float


def yardstick(points: np.ndarray) -> Yardstick | None:
    """Of a search's points in the order in which they came, minimised, shape [points, objectives]. None where there
    are too few yet, or the first do not differ in every objective, or there is one objective."""
    if len(points) < FIRST or points.shape[1] < 2:
        return None
    corner = points[:FIRST].max(axis=0)
    unit = hypervolume(points[:FIRST], corner)
    return Yardstick(corner, unit) if unit > 0 else None


def course(points: np.ndarray, by: Yardstick) -> list[tuple[int, float]]:
    """Steps at which the front got better: (points so far, hypervolume in units), ascending in both."""
    steps: list[tuple[int, float]] = []
    members = np.empty((0, points.shape[1]))
    best = 0.0
    for index in np.flatnonzero((points < by.corner).all(axis=1)).tolist():
        point = points[index]
        if (members <= point).all(axis=1).any():
            continue
        members = np.vstack([members, point])
        members = members[front(members)]
        value = hypervolume(members, by.corner) / by.unit
        if value > best:
            best = value
            steps.append((index + 1, value))
    return steps
