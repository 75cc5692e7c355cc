"""Puts the ids of front members beside their dots, where they cover as little as possible."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from cli.picture import Dot

PLACES = ((-5, 5), (0, 7), (5, 5), (-8, 0), (8, 0), (5, -5), (0, -7), (-5, -5), (-9, 12), (9, 12))
HEIGHT, CHARACTER = 9.0, 5.5
"""Of a label in points."""


def place_labels(panel: Axes, labelled: Sequence[Dot], dots: Sequence[Dot], x: str, y: str) -> None:
    """Greedy: each label takes the first place around its dot that is free of dots and earlier labels."""
    panel.figure.draw_without_rendering()  # type: ignore[union-attr]
    obstacles = _in_points(panel, dots, x, y)
    taken: list[np.ndarray] = []
    for dot, centre in zip(labelled, _in_points(panel, labelled, x, y), strict=True):
        text = str(dot.id)
        boxes = [_box(centre, place, len(text)) for place in PLACES]
        best = min(range(len(PLACES)), key=lambda index: (_conflicts(boxes[index], obstacles, taken), index))
        if _overlaps(boxes[best], taken):
            continue  # nothing is better than two ids on top of each other
        taken.append(boxes[best])
        across, up = PLACES[best]
        panel.annotate(
            text,
            (dot.values[x], dot.values[y]),
            xytext=(across, up),
            textcoords="offset points",
            ha="left" if across > 0 else "right" if across < 0 else "center",
            va="bottom" if up > 0 else "top" if up < 0 else "center",
            fontsize=8,
            color="#333333",
            zorder=5,
        )


def _in_points(panel: Axes, dots: Sequence[Dot], x: str, y: str) -> np.ndarray:
    """Positions on the page, shape [dots, 2], in points of 1/72 inch."""
    values = np.array([[dot.values[x], dot.values[y]] for dot in dots]).reshape(-1, 2)
    return np.asarray(panel.transData.transform(values)) * 72.0 / panel.figure.dpi


def _box(centre: np.ndarray, place: tuple[int, int], characters: int) -> np.ndarray:
    """Left, bottom, right, top of a label at a place around its dot."""
    width = characters * CHARACTER
    across, up = place
    left = centre[0] + across - (0 if across > 0 else width if across < 0 else width / 2)
    bottom = centre[1] + up - (0 if up > 0 else HEIGHT if up < 0 else HEIGHT / 2)
    return np.array([left, bottom, left + width, bottom + HEIGHT])


def _conflicts(box: np.ndarray, obstacles: np.ndarray, taken: Sequence[np.ndarray]) -> int:
    radius = 5.0
    covered = (
        (obstacles[:, 0] > box[0] - radius)
        & (obstacles[:, 0] < box[2] + radius)
        & (obstacles[:, 1] > box[1] - radius)
        & (obstacles[:, 1] < box[3] + radius)
    )
    return int(covered.sum()) + 100 * _overlaps(box, taken)


def _overlaps(box: np.ndarray, taken: Sequence[np.ndarray]) -> int:
    return sum(
        bool(box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]) for other in taken
    )
