"""Splits of images that have a class each: every class gets its share of every split, whatever comes beside it."""

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

from workers.datasets.dataset import Split

PATTERN = "ttvttettttvttetcttet"
"""What becomes of twenty images of a class: 14 training, 2 validation, 3 test, 1 calibration."""
SPLITS = {"t": Split.TRAIN, "v": Split.VALIDATION, "e": Split.TEST, "c": Split.CALIBRATION}

Item = TypeVar("Item")


def splits_of(labels: Sequence[int], missing: Collection[Split]) -> Iterator[Split]:
    """The split of each image of a folder or file of training images, in their order: by how many of its class came
    before it. missing: splits that are to be cut out of it; images of others stay in training."""
    seen: Counter[int] = Counter()
    for label in labels:
        split = SPLITS[PATTERN[seen[label] % len(PATTERN)]]
        seen[label] += 1
        yield split if split in missing else Split.TRAIN


def in_turn(by_class: Sequence[Sequence[Item]]) -> list[Item]:
    """The first of each class, then the second of each: what a limit cuts off then leaves every class its share."""
    longest = max((len(members) for members in by_class), default=0)
    return [members[rank] for rank in range(longest) for members in by_class if rank < len(members)]


def limited(items: Sequence[Item], limit: int | None, training: int) -> Sequence[Item]:
    """As many of them as `limit` is of the training images; all where there is no limit."""
    if limit is None or limit >= training:
        return items
    return items[: math.ceil(len(items) * limit / training)]
