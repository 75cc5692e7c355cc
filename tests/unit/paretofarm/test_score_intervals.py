"""How sure scores are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from paretofarm.score_intervals import LEAST, score_intervals
from paretofarm.segmentation_scores import count, score_tally, tally

CLASSES = 3


def tallies_of(rng: np.random.Generator, images: int, right: float, spread: float) -> np.ndarray:
    """Images of 400 pixels, of which a share that differs between them is right."""
    found = []
    for _ in range(images):
        labels = rng.integers(0, CLASSES, 400)
        share = np.clip(rng.normal(right, spread), 0, 1)
        predictions = np.where(rng.random(400) < share, labels, rng.integers(0, CLASSES, 400))
        found.append(tally(count(labels, predictions, classes=CLASSES, ignore_index=255)))
    return np.stack(found)


def test_they_hold_the_true_score_about_as_often_as_they_say() -> None:
    truth = score_tally(tallies_of(np.random.default_rng(0), 4000, 0.7, 0.2).sum(axis=0), "abc").miou
    hits = 0
    for seed in range(100):
        rng = np.random.default_rng(seed + 1)
        low, high = score_intervals(tallies_of(rng, 40, 0.7, 0.2), rng)["miou"]
        hits += low <= truth <= high
    assert 88 <= hits <= 99


def test_more_images_and_images_that_are_alike_make_them_narrower() -> None:
    rng = np.random.default_rng(0)
    widths = [
        np.ptp(score_intervals(tallies_of(rng, images, 0.7, spread), rng)["f1"])
        for images, spread in ((20, 0.2), (200, 0.2), (20, 0.0))
    ]
    assert widths[1] < widths[0] / 2
    assert widths[2] < widths[0] / 2


@given(st.integers(0, 2**32 - 1), st.integers(LEAST, 15))
def test_they_contain_the_score_itself(seed: int, images: int) -> None:
    rng = np.random.default_rng(seed)
    tallies = tallies_of(rng, images, rng.random(), rng.random() / 2)
    # A class that one image alone has.
    tallies[1:, 2] = 0
    scores = score_tally(tallies.sum(axis=0), "abc").overall
    for name, (low, high) in score_intervals(tallies, rng).items():
        assert low <= scores[name] + 1e-12 and scores[name] - 1e-12 <= high


def test_the_same_images_give_the_same() -> None:
    tallies = tallies_of(np.random.default_rng(3), 12, 0.5, 0.1)
    first, second = (score_intervals(tallies, np.random.default_rng(0)) for _ in range(2))
    assert first == second
    assert set(first) == {"miou", "f1", "pixel_accuracy"}


def test_of_a_few_images_or_without_labels_there_are_none() -> None:
    tallies = tallies_of(np.random.default_rng(3), LEAST - 1, 0.5, 0.1)
    assert score_intervals(tallies, np.random.default_rng(0)) == {}
    assert score_intervals(np.zeros((20, 3, 3), np.int64), np.random.default_rng(0)) == {}
