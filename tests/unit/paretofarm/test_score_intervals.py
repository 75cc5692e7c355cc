"""How sure scores are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from paretofarm.score_intervals import LEAST, score_intervals
from paretofarm.scores import count, score_tally, tally
from paretofarm.task import Task

SEGMENTATION = Task.SEGMENTATION

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
        low, high = score_intervals(tallies_of(rng, 40, 0.7, 0.2), rng, SEGMENTATION)["miou"]
        hits += low <= truth <= high
    assert 88 <= hits <= 99


def test_more_images_and_images_that_are_alike_make_them_narrower() -> None:
    rng = np.random.default_rng(0)
    widths = [
        np.ptp(score_intervals(tallies_of(rng, images, 0.7, spread), rng, SEGMENTATION)["f1"])
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
    scores = score_tally(tallies.sum(axis=0), "abc").overall(SEGMENTATION)
    for name, (low, high) in score_intervals(tallies, rng, SEGMENTATION).items():
        assert low <= scores[name] + 1e-12 and scores[name] - 1e-12 <= high


def test_the_same_images_give_the_same() -> None:
    tallies = tallies_of(np.random.default_rng(3), 12, 0.5, 0.1)
    first, second = (score_intervals(tallies, np.random.default_rng(0), SEGMENTATION) for _ in range(2))
    assert first == second
    assert set(first) == {"miou", "f1", "pixel_accuracy"}


def test_of_a_few_images_or_without_labels_there_are_none() -> None:
    tallies = tallies_of(np.random.default_rng(3), LEAST - 1, 0.5, 0.1)
    assert score_intervals(tallies, np.random.default_rng(0), SEGMENTATION) == {}
    assert score_intervals(np.zeros((20, 3, 3), np.int64), np.random.default_rng(0), SEGMENTATION) == {}


def test_of_classifications_they_are_of_other_scores() -> None:
    rng = np.random.default_rng(3)
    labels, right = rng.integers(0, CLASSES, 200), rng.random(200) < 0.8
    predictions = np.where(right, labels, (labels + 1) % CLASSES)
    pairs = zip(labels, predictions, strict=True)
    tallies = np.stack([tally(count(a, b, classes=CLASSES, ignore_index=255)) for a, b in pairs])
    found = score_intervals(tallies, np.random.default_rng(0), Task.CLASSIFICATION)
    assert set(found) == {"accuracy", "f1"}
    low, high = found["accuracy"]
    # Of 200 independent images the binomial distribution knows it too: ±1.96·√(p(1 − p)/n).
    half = 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / 200)
    assert low == np.clip(low, right.mean() - 1.3 * half, right.mean() - 0.7 * half)
    assert high == np.clip(high, right.mean() + 0.7 * half, right.mean() + 1.3 * half)
