"""How much hypervolume a candidate promises to add to a front, exactly but for the quadrature of each objective."""

from collections.abc import Sequence

import numpy as np

from paretofarm.fronts import front_mask
from paretofarm.surrogates.boxes import free_boxes

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
NODES = np.asarray(_NODES, dtype=np.float64)
"""Standard deviations at which a normal distribution is looked at, and with which weight."""
WEIGHTS = np.asarray(_WEIGHTS / _WEIGHTS.sum(), dtype=np.float64)


def expected_improvement(draws: Sequence[np.ndarray], front: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Expected hypervolume improvement of independent objectives, all minimised; float64, shape [candidates].

    draws: per objective [candidates, nodes], its values at NODES, or at NODES for each of several opinions, which count
    alike; front: [members, objectives], may be empty; reference: [objectives], one to three. The space below the
    reference is cut into boxes at the coordinates of the front; what a candidate may add is its expected share of every
    box that the front does not dominate (Emmerich et al. 2011).
    """
    inside = front[(front < reference).all(axis=1)] if len(front) else np.empty((0, len(reference)))
    inside = np.unique(inside[front_mask(inside)], axis=0) if len(inside) else inside
    if len(reference) == 3:
        return _in_boxes(draws, free_boxes(inside, reference))
    return _in_cells(draws, inside, reference)


def _in_boxes(draws: Sequence[np.ndarray], boxes: np.ndarray) -> np.ndarray:
    first = _below(draws[0], boxes[:, 1]) - _below(draws[0], boxes[:, 0])
    third = _below(draws[2], boxes[:, 4]) - _below(draws[2], boxes[:, 3])
    return np.asarray(np.einsum("nb,nb,nb->n", first, _below(draws[1], boxes[:, 2]), third))


def _below(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Expected length from a candidate's value up to each cut, 0 for that of minus infinity; [candidates, cuts]."""
    kinds, places = np.unique(cuts, return_inverse=True)
    lengths = np.zeros((len(values), len(kinds)))
    for node, weight in zip(values.T, _weights(values), strict=True):
        lengths += weight * np.maximum(kinds - node[:, None], 0.0)
    return np.asarray(lengths[:, places])


def _in_cells(draws: Sequence[np.ndarray], front: np.ndarray, reference: np.ndarray) -> np.ndarray:
    edges = [np.unique(np.append(front[:, axis], reference[axis])) for axis in range(len(reference))]
    free = _undominated(front, edges)
    shares = [_shares(values, cuts) for values, cuts in zip(draws, edges, strict=True)]
    total = shares[0] @ free
    return np.asarray(total if len(edges) == 1 else np.einsum("ni,ni->n", shares[1], total))


def _weights(values: np.ndarray) -> np.ndarray:
    """Of each node, [nodes]."""
    opinions = values.shape[1] // len(WEIGHTS)
    return np.asarray(np.tile(WEIGHTS, opinions) / opinions)


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
    return np.asarray(np.einsum("nqc,q->nc", covered, _weights(values)))
