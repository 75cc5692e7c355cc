import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from paretofarm.scores import Scores, count, score
from workers.training.confusion import ConfusionMatrix

CLASSES = 4
NAMES = ("background", "skin", "hair", "glasses")
IGNORED = 255

labels_and_predictions = st.tuples(
    arrays(np.uint8, (3, 4, 5), elements=st.sampled_from([*range(CLASSES), IGNORED])),
    arrays(np.uint8, (3, 4, 5), elements=st.integers(0, CLASSES - 1)),
)


def confusion_of(*batches: tuple[np.ndarray, np.ndarray]) -> ConfusionMatrix:
    confusion = ConfusionMatrix(CLASSES, ignore_index=IGNORED)
    for labels, predictions in batches:
        confusion.add(torch.from_numpy(labels.copy()), torch.from_numpy(predictions.copy()))
    return confusion


def scores_of(labels: list[int], predictions: list[int]) -> Scores:
    return confusion_of((np.array(labels, np.uint8), np.array(predictions, np.uint8))).scores(NAMES)


def test_scores_agree_with_hand_computation() -> None:
    scores = scores_of([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2])
    # background: 2 of 3 in the union; skin: 1 of 3; hair: 1 of 2.
    assert scores.miou == pytest.approx((2 / 3 + 1 / 3 + 1 / 2) / 3)
    assert scores.f1 == pytest.approx((4 / 5 + 2 / 4 + 2 / 3) / 3)
    assert scores.accuracy == pytest.approx(4 / 6)


def test_per_class_scores_are_kept_and_absent_classes_have_none() -> None:
    scores = scores_of([0, 0, 1], [0, 1, 1])
    assert scores.per_class["glasses"] is None
    skin = scores.per_class["skin"]
    assert skin is not None
    assert (skin.iou, skin.f1, skin.pixels) == (pytest.approx(1 / 2), pytest.approx(2 / 3), 1)


def test_a_class_that_is_only_predicted_scores_zero() -> None:
    scores = scores_of([0, 0], [0, 3])
    assert scores.miou == pytest.approx((1 / 2 + 0) / 2)


def test_ignored_pixels_count_nowhere() -> None:
    assert scores_of([0, 1, IGNORED, IGNORED], [0, 1, 0, 2]) == scores_of([0, 1], [0, 1])


def test_a_split_without_labels_scores_zero() -> None:
    scores = scores_of([IGNORED], [1])
    assert (scores.miou, scores.f1, scores.accuracy) == (0.0, 0.0, 0.0)


def test_averaging_over_batches_would_flatter() -> None:
    """What Archai does: per batch, absent classes scored 1. The truth comes from the sum."""
    batches = [(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 0])), (np.array([0, 0, 0, 0]), np.array([0, 0, 0, 0]))]
    per_batch = [_flattered_miou(labels, predictions) for labels, predictions in batches]
    truth = confusion_of(*batches).scores(NAMES).miou
    assert truth == pytest.approx((6 / 8 + 0) / 2)
    assert np.mean(per_batch) > truth + 0.4


def _flattered_miou(labels: np.ndarray, predictions: np.ndarray) -> float:
    ious = []
    for index in range(CLASSES):
        union = ((labels == index) | (predictions == index)).sum()
        ious.append(((labels == index) & (predictions == index)).sum() / union if union else 1.0)
    return float(np.mean(ious))


@settings(deadline=None)
@given(labels_and_predictions)
def test_it_does_not_matter_how_a_split_is_cut_into_batches(pair: tuple[np.ndarray, np.ndarray]) -> None:
    labels, predictions = pair
    at_once = confusion_of((labels, predictions))
    one_by_one = confusion_of(*zip(labels, predictions, strict=True))
    np.testing.assert_array_equal(at_once.counts, one_by_one.counts)
    assert at_once.counts.sum() == (labels != IGNORED).sum()


@settings(deadline=None)
@given(labels_and_predictions)
def test_trainings_and_phones_count_alike(pair: tuple[np.ndarray, np.ndarray]) -> None:
    """One counts with torch, where its tensors are, the other with numpy; the scores then are the same code's."""
    np.testing.assert_array_equal(
        confusion_of(pair).counts, count(*pair, classes=CLASSES, ignore_index=IGNORED), strict=True
    )


@settings(deadline=None)
@given(labels_and_predictions)
def test_scores_lie_between_zero_and_one_and_iou_below_f1(pair: tuple[np.ndarray, np.ndarray]) -> None:
    scores = confusion_of(pair).scores(NAMES)
    assert 0 <= scores.miou <= scores.f1 <= 1
    assert 0 <= scores.accuracy <= 1


@settings(deadline=None)
@given(arrays(np.uint8, (30,), elements=st.integers(0, CLASSES - 1)))
def test_predicting_the_labels_is_perfect(labels: np.ndarray) -> None:
    scores = confusion_of((labels, labels)).scores(NAMES)
    assert (scores.miou, scores.f1, scores.accuracy) == (1.0, 1.0, 1.0)


@settings(deadline=None)
@given(labels_and_predictions, st.permutations(range(CLASSES)))
def test_the_order_of_classes_does_not_matter(pair: tuple[np.ndarray, np.ndarray], order: list[int]) -> None:
    counts = confusion_of(pair).counts
    shuffled = score(counts[np.ix_(order, order)], [NAMES[index] for index in order])
    straight = score(counts, NAMES)
    assert shuffled.per_class == straight.per_class
    assert shuffled.miou == pytest.approx(straight.miou)
