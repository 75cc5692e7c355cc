"""How much hypervolume a candidate promises to add to a front, exactly but for the quadrature of each objective."""

from collections.abc import Sequence

import numpy as np

from paretofarm.fronts import front_mask

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
NODES = np.asarray(_NODES, dtype=np.float64)
"""Standard deviations at which a normal distribution is looked at, and with which weight."""
WEIGHTS = np.asarray(_WEIGHTS / _WEIGHTS.sum(), dtype=np.float64)


def expected_improvement(draws: Sequence[np.ndarray], front: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Expected hypervolume improvement of independent objectives, all minimised; float64, shape [candidates].

    draws: per objective [candidates, nodes], its values at NODES; front: [members, objectives], may be empty;
    reference: [objectives]. The space below the reference is cut into cells at the coordinates of the front; what a
    candidate may add is its expected share of every cell that the front does not dominate (Emmerich et al. 2011).
    """
    inside = front[(front < reference).all(axis=1)] if len(front) else np.empty((0, len(reference)))
    inside = inside[front_mask(inside)] if len(inside) else inside
    edges = [np.unique(np.append(inside[:, axis], reference[axis])) for axis in range(len(reference))]
    free = _undominated(inside, edges)
    shares = [_shares(values, cuts) for values, cuts in zip(draws, edges, strict=True)]
    total = shares[0] @ free.reshape(len(edges[0]), -1)
    for axis in range(1, len(edges)):
        total = total.reshape(len(total), len(edges[axis]), -1)
        total = np.einsum("ni,nik->nk", shares[axis], total)
    return np.asarray(total[:, 0])


def _undominated(front: np.ndarray, edges: Sequence[np.ndarray]) -> np.ndarray:
    """1.0 for every cell of the grid that no member dominates; a cell reaches from the edge before up to its edge."""
    free = np.ones([len(cuts) for cuts in edges])
    for member in front:
        # Cells whose upper edges are all beyond the member's coordinates lie in what it dominates.
        free[
            tuple(
                slice(int(np.searchsorted(cuts, value, "right")), None)
                for cuts, value in zip(edges, member, strict=True)
            )
        ] = 0.0
    return free


def _shares(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Expected length of each cell that a candidate's value covers, [candidates, cells]; the first cell is endless."""
    starts = np.concatenate(([-np.inf], cuts[:-1]))
    covered = np.maximum(cuts - np.maximum(values[:, :, None], starts), 0.0)
    return np.asarray(np.einsum("nqc,q->nc", covered, WEIGHTS))
