"""What an interrupted scoring leaves for the next attempt."""

import json

import numpy as np
import pytest

from paretofarm.partial_scores import PartialScores

FRESH = PartialScores.none_yet("a" * 64, "b" * 64, 2)
TALLIES = np.array([[[3, 4, 5], [0, 2**30, 1]], [[1, 1, 1], [0, 0, 0]]])
GOOD = json.loads(FRESH.plus(TALLIES).to_json())


def test_it_grows_and_comes_back_from_json() -> None:
    grown = FRESH.plus(TALLIES).plus(TALLIES[:1])
    back = PartialScores.from_json(grown.to_json())
    assert (back.network, back.test_set, back.images) == ("a" * 64, "b" * 64, 3)
    np.testing.assert_array_equal(back.tallies, TALLIES[[0, 1, 0]], strict=True)
    assert back.continues(FRESH)


def test_ten_thousand_images_stay_small() -> None:
    tallies = np.random.default_rng(0).integers(0, 60, (10_000, 19, 3))
    assert len(PartialScores.none_yet("a" * 64, "b" * 64, 19).plus(tallies).to_json()) < 1_000_000


@pytest.mark.parametrize(
    "other",
    [
        PartialScores.none_yet("c" * 64, "b" * 64, 2),
        PartialScores.none_yet("a" * 64, "c" * 64, 2),
        PartialScores.none_yet("a" * 64, "b" * 64, 3),
    ],
)
def test_what_was_counted_of_another_network_or_test_set_is_worth_nothing(other: PartialScores) -> None:
    assert not other.plus(np.ones((1, *other.tallies.shape[1:]), np.int64)).continues(FRESH)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"network": "a", "test_set": "b", "images": 1, "counts": [[1]]}',
        json.dumps({**GOOD, "shape": [2, 2, 2]}).encode(),
        json.dumps({**GOOD, "shape": [4, 3]}).encode(),
        json.dumps({**GOOD, "shape": None}).encode(),
        json.dumps({**GOOD, "tallies": "AAAA"}).encode(),
        json.dumps({**GOOD, "tallies": "no base 64"}).encode(),
        PartialScores("a", "b", np.full((1, 2, 3), -1)).to_json(),
    ],
)
def test_damaged_ones_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        PartialScores.from_json(content)
