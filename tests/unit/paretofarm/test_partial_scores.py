"""What an interrupted scoring leaves for the next attempt."""

import numpy as np
import pytest

from paretofarm.partial_scores import PartialScores

FRESH = PartialScores.none_yet("a" * 64, "b" * 64, 2)
COUNTS = np.array([[3, 1], [0, 2**40]])


def test_it_grows_and_comes_back_from_json() -> None:
    grown = FRESH.plus(5, COUNTS).plus(2, COUNTS)
    back = PartialScores.from_json(grown.to_json())
    assert (back.network, back.test_set, back.images) == ("a" * 64, "b" * 64, 7)
    np.testing.assert_array_equal(back.counts, 2 * COUNTS, strict=True)
    assert back.continues(FRESH)


@pytest.mark.parametrize(
    "other",
    [
        PartialScores.none_yet("c" * 64, "b" * 64, 2),
        PartialScores.none_yet("a" * 64, "c" * 64, 2),
        PartialScores.none_yet("a" * 64, "b" * 64, 3),
    ],
)
def test_counts_of_another_network_or_test_set_are_worth_nothing(other: PartialScores) -> None:
    assert not other.plus(5, np.ones_like(other.counts)).continues(FRESH)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"network": "a", "test_set": "b", "images": 1, "counts": [[1, 2]]}',
        b'{"network": "a", "test_set": "b", "images": 1, "counts": [[-1]]}',
        b'{"network": "a", "test_set": "b", "images": -1, "counts": [[1]]}',
        b'{"network": "a", "test_set": "b", "images": null, "counts": [[1]]}',
    ],
)
def test_damaged_ones_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        PartialScores.from_json(content)
