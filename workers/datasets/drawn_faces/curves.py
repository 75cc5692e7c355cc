"""Smooth curves through a few control points, as polygons."""

from functools import cache

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]


def points(*rows: tuple[float, ...]) -> Points:
    return np.array(rows, dtype=np.float64)


def smooth(control: Points, *, closed: bool = True, steps: int = 5) -> Points:
    """Catmull-Rom spline through the rows of `control` [N, D], `steps` points to a segment."""
    if closed:
        padded = np.concatenate([control[-1:], control, control[:2]])
    else:
        padded = np.concatenate([control[:1], control, control[-1:]])
    windows = np.stack([padded[i : len(padded) - 3 + i] for i in range(4)], axis=1)
    curve = np.einsum("sk,nkd->nsd", _basis(steps), windows).reshape(-1, control.shape[1])
    return curve if closed else np.concatenate([curve, control[-1:]])


def mirror(half: Points) -> Points:
    """Closes a half outline, given from its top to its bottom at x ≥ 0, with its mirror image at x ≤ 0."""
    other = half[::-1].copy()
    other[:, 0] *= -1
    return np.concatenate([half, other])


def ellipse(x: float, y: float, width: float, height: float, *, count: int = 20) -> Points:
    """Outline of an axis-parallel ellipse given its half-axes."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([x + width * np.cos(angle), y + height * np.sin(angle)], axis=1)


@cache
def _basis(steps: int) -> Points:
    t = np.linspace(0, 1, steps, endpoint=False)
    powers = np.stack([np.ones_like(t), t, t**2, t**3], axis=1)
    matrix = np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) / 2
    return powers @ matrix
