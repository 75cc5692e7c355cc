"""What a front of three objectives leaves free, as few disjoint boxes: cells at all coordinates would be its cube."""

from collections.abc import Iterator

import numpy as np

Strip = tuple[float, float, float, float]
"""Along the first objective (from, to) up to a height in the second, free since a value of the third."""
Box = tuple[float, float, float, float, float]
"""(first from, to), second up to, (third from, to)."""


def free_boxes(front: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Boxes below the reference that no member dominates any part of; together all of that; [boxes, 5] as in `Box`.

    front: minimised, non-dominated, no point twice, all below the reference; [members, 3]; reference: [3]. Members are
    gone through by the third objective: what is free of a slice are strips whose heights fall, and each member ends
    those that it dominates a part of. Every member begins at most two strips, so there are at most 2n + 1 boxes.
    """
    first, second, third = reference.tolist()
    strips: list[Strip] = [(-np.inf, first, second, -np.inf)]
    boxes: list[Box] = []
    for member in front[np.lexsort(front.T)].tolist():
        boxes += _ended(strips, member)
        strips = sorted(_left(strips, member))
    boxes += [(low, high, height, since, third) for low, high, height, since in strips]
    return np.array(boxes)


def _cuts(strip: Strip, member: list[float]) -> bool:
    _, high, height, _ = strip
    return high > member[0] and height > member[1]


def _ended(strips: list[Strip], member: list[float]) -> Iterator[Box]:
    for strip in strips:
        low, high, height, since = strip
        if _cuts(strip, member) and member[2] > since:
            yield low, high, height, since, member[2]


def _left(strips: list[Strip], member: list[float]) -> Iterator[Strip]:
    """Strips that a member leaves alone, and what begins at its value of the third objective."""
    first, second, third = member
    yield from (strip for strip in strips if not _cuts(strip, member))
    cut = [strip for strip in strips if _cuts(strip, member)]
    for low, _, height, _ in cut:
        if low < first:
            yield low, first, height, third
    if cut:
        yield max(min(strip[0] for strip in cut), first), max(strip[1] for strip in cut), second, third
