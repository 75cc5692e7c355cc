"""Three members of a front for somebody who wants to see three: both ends, and the one between them."""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np

from paretofarm.pareto import front


class Pick(StrEnum):
    """cheapest: best in the first objective; best: best in the second; knee: closest to the best of all of them."""

    CHEAPEST = "cheapest"
    KNEE = "knee"
    BEST = "best"


def picks(points: np.ndarray) -> Mapping[Pick, int]:
    """Index of each pick among points, minimised, shape [points, objectives]; no index twice, so that small fronts
    have fewer.

    The knee is the member nearest to the point that has the best value of every objective, each scaled to the front's
    own range. With one objective there is one pick.
    """
    members = front(points)
    if not len(members):
        return {}
    values = points[members]
    found = {Pick.BEST: int(members[_first(values, 1 if values.shape[1] > 1 else 0)])}
    if values.shape[1] > 1:
        found = {Pick.CHEAPEST: int(members[_first(values, 0)]), **found}
        left = [index for index, member in enumerate(members.tolist()) if member not in found.values()]
        if left:
            distances = np.linalg.norm(_scaled(values), axis=1)[left]
            found[Pick.KNEE] = int(members[left[int(distances.argmin())]])
    return {pick: found[pick] for pick in Pick if pick in found and _is_first(found, pick)}


def _first(values: np.ndarray, objective: int) -> int:
    """The best in one objective; of several the best in the others."""
    others = [values[:, other] for other in range(values.shape[1]) if other != objective]
    return int(np.lexsort((*others[::-1], values[:, objective]))[0])


def _scaled(values: np.ndarray) -> np.ndarray:
    span = np.ptp(values, axis=0)
    return np.asarray((values - values.min(axis=0)) / np.where(span > 0, span, 1.0))


def _is_first(found: Mapping[Pick, int], pick: Pick) -> bool:
    """A front of one member has one pick: it is the best."""
    return pick is not Pick.CHEAPEST or found[Pick.CHEAPEST] != found[Pick.BEST]
