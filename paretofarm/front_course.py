"""How a front changed as candidates came in, so that it can be shown at any moment without being computed again."""

import numpy as np

from paretofarm.pareto import front


def members_until(points: np.ndarray) -> np.ndarray:
    """For points in the order in which they came, minimised, shape [points, objectives]: how many had come when each
    was first dominated. 0 where it never was on the front; one more than there are where it still is.

    Point `i`, from 0, is on the front of the first `n` exactly if `i < n < until[i]`.
    """
    until = np.zeros(len(points), dtype=np.int64)
    members = np.empty(0, dtype=np.int64)
    for index in range(len(points)):
        both = np.append(members, index)
        kept = both[front(points[both])]
        gone = np.setdiff1d(both, kept, assume_unique=True)
        until[gone[gone != index]] = index + 1
        if len(kept) and kept[-1] == index:
            until[index] = len(points) + 1
        members = kept
    return until
