"""The same loop with one class for an image."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_training import classification_settings, small_classification, small_classifier

from paretofarm.task import Task
from workers.datasets import IGNORE_INDEX, ImageMaskArrays, Split
from workers.scored_images import scored_images, scores_of
from workers.training import train
from workers.training.batches import share_of, to_input
from workers.training.checkpoint import load_checkpoint
from workers.training.class_weights import inverse_sqrt_weights
from workers.training.distortion import Distortion
from workers.training.loss import LabelLoss

EVERYTHING = {
    "recipe": "strong",
    "augment": "strong",
    "label_smoothing": 0.1,
    "class_weights": "inverse_sqrt",
    "quantization_aware": {"epochs": 2},
    "distillation": {"weight": 0.3, "temperature": 2.0},
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("augment", ["none", "mirror"])
def test_training_learns_the_class_of_an_image(augment: str) -> None:
    """Mirrored, left is right: with the labels as they were it could learn nothing."""
    settings = classification_settings(augment=augment)
    result = train(small_classifier(), small_classification(), settings, epochs_total=6, seed=1)
    assert set(result.metrics) == {"accuracy", "f1", "loss"}
    assert result.metrics["accuracy"] > 0.9
    assert result.epochs[-1].train_loss < result.epochs[0].train_loss
    assert [scores and scores.pixels for scores in result.per_class.values()] == np.bincount(
        small_classification().splits[Split.VALIDATION].masks.ravel()
    ).tolist()


@pytest.mark.parametrize("count", [55, 56, 59, 100])
def test_a_share_of_images_whose_classes_come_in_turn_has_all_of_them_alike(count: int) -> None:
    labels = (np.arange(count) % 2).astype(np.uint8).reshape(count, 1, 1)
    split = ImageMaskArrays(np.zeros((count, 1, 1, 3), np.uint8), labels, tuple(map(str, range(count))))
    chosen = share_of(split, 0.5)
    assert len(chosen) == len(set(chosen.tolist())) and abs(len(chosen) - count / 2) <= 1
    assert np.ptp(np.bincount(labels[chosen].ravel(), minlength=2)) <= 1
    assert chosen.tolist() == sorted(chosen) and share_of(split, 1.0).tolist() == list(range(count))


def test_accuracy_is_the_share_of_images_that_are_right() -> None:
    dataset, network = small_classification(), small_classifier()
    result = train(network, dataset, classification_settings(), epochs_total=1, seed=1)
    split = dataset.splits[Split.VALIDATION]
    network.eval()
    with torch.inference_mode():
        predictions = network(to_input(torch.from_numpy(np.array(split.images)))).argmax(dim=1).numpy()
    assert result.metrics["accuracy"] == pytest.approx((predictions == split.masks).mean())


@pytest.mark.parametrize("changes", [{}, EVERYTHING], ids=["plain", "everything"])
def test_a_resumed_training_equals_one_never_interrupted(changes: dict[str, object], tmp_path: Path) -> None:
    settings, dataset = classification_settings(epochs=[2, 4], **{"batch_size": 8, **changes}), small_classification()
    whole, first, second = small_classifier(), small_classifier(), small_classifier(seed=99)
    teachers = [small_classifier(seed=7) for _ in range(3)]
    told = train(whole, dataset, settings, epochs_total=4, seed=3, teacher=teachers[0])
    half = tmp_path / "half.pt"
    train(first, dataset, settings, epochs_total=2, seed=3, save_to=half, teacher=teachers[1])
    again = train(second, dataset, settings, epochs_total=4, seed=3, resume_from=half, teacher=teachers[2])
    assert again.metrics == told.metrics
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), second.parameters(), strict=True))
    assert len(load_checkpoint(half, torch.device("cpu")).course) == 2


def test_it_stops_when_accuracy_no_longer_rises(tmp_path: Path) -> None:
    settings = classification_settings(epochs=[30], early_stop={"patience_epochs": 3, "min_gain": 0.001})
    path = tmp_path / "checkpoint"
    result = train(small_classifier(), small_classification(), settings, epochs_total=30, seed=1, save_to=path)
    course = load_checkpoint(path, torch.device("cpu")).course
    assert len(course) == result.epochs_total < 30
    assert list(course) == [epoch.metrics["accuracy"] for epoch in result.epochs]
    assert max(course[-3:]) < max(course[:-3]) + 0.001


def test_the_loss_is_cross_entropy_of_the_whole_image() -> None:
    loss = LabelLoss(small_classification(), classification_settings(label_smoothing=0.1), None, torch.device("cpu"))
    logits, labels = torch.randn(5, 2), torch.tensor([0, 1, 1, 0, 1])
    plain = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.1)
    masks = labels[:, None, None]
    assert float(loss(logits[:, :, None, None], masks, None, loss.count(masks))) == pytest.approx(float(plain))


def test_weights_of_classes_are_of_all_images() -> None:
    split = small_classification(train=1000).splits[Split.TRAIN]
    masks = (np.arange(1000) >= 900).astype(np.uint8).reshape(-1, 1, 1)
    weights = inverse_sqrt_weights(type(split)(split.images, masks, split.names), 2, ignore_index=IGNORE_INDEX)
    assert float(weights[1] / weights[0]) == pytest.approx(3, rel=0.01)


def test_what_is_turned_and_shifted_keeps_its_class() -> None:
    torch.manual_seed(0)
    images, labels = torch.rand(16, 3, 16, 16), torch.arange(16).reshape(16, 1, 1) % 2
    moved, kept = Distortion(IGNORE_INDEX, Task.CLASSIFICATION)(images, labels)
    assert torch.equal(kept, labels)
    assert not torch.equal(moved, images)


def test_images_to_be_scored_are_of_all_classes_alike_though_these_come_in_turn() -> None:
    """41 images of two classes: of every second one all would be the first's."""
    dataset = small_classification()
    labels = (np.arange(41) % 2).astype(np.uint8).reshape(41, 1, 1)
    test = ImageMaskArrays(np.zeros((41, 16, 16, 3), np.uint8), labels, tuple(map(str, range(41))))
    scored = scored_images(replace(dataset, splits={**dataset.splits, Split.TEST: test}), 21)
    assert sorted(np.bincount(scored.labels.ravel())) == [10, 11]


def test_images_to_be_scored_carry_the_task_and_scores_its_names() -> None:
    labelled = scored_images(small_classification(), 8)
    assert (labelled.task, labelled.labels.shape, labelled.logits_shape) == (Task.CLASSIFICATION, (8, 1, 1), (2, 1, 1))
    answers = iter([1, 0, 1, 1, 0, 0, 1, 1])
    scores = scores_of(lambda image: np.eye(2)[next(answers)].reshape(1, 2, 1, 1), labelled, lambda share: None)
    right = np.mean(labelled.labels.ravel() == [1, 0, 1, 1, 0, 0, 1, 1])
    assert scores.overall(labelled.task)["accuracy"] == scores.main(labelled.task) == pytest.approx(right)
