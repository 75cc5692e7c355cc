import pytest
import torch
from small_training import SHAPE, small_dataset, small_network, small_settings
from torch.nn import functional

from workers.datasets import Split
from workers.training.class_weights import inverse_sqrt_weights
from workers.training.loss import LabelLoss, divergence

CPU = torch.device("cpu")


def logits_of(*pixels: list[float]) -> torch.Tensor:
    """[1, classes, 1, pixels]"""
    return torch.tensor(pixels).T.reshape(1, -1, 1, len(pixels))


def test_a_student_that_agrees_has_nothing_to_learn() -> None:
    logits = torch.randn(2, 4, 3, 3)
    torch.testing.assert_close(divergence(logits, logits, 2.0), torch.zeros(2, 3, 3))


def test_divergence_is_kullback_leiblers_times_the_squared_temperature() -> None:
    student, teacher = logits_of([2.0, 0.0], [9.0, 0.0]), logits_of([0.0, 4.0], [9.0, 0.0])
    p, q = torch.softmax(torch.tensor([0.0, 2.0]), 0), torch.softmax(torch.tensor([1.0, 0.0]), 0)
    expected = 4 * float((p * (p / q).log()).sum())
    torch.testing.assert_close(divergence(student, teacher, 2.0), torch.tensor([[[expected, 0.0]]]))


@pytest.mark.parametrize("class_weights", ["none", "inverse_sqrt"])
def test_labels_and_teacher_share_the_loss_and_weigh_pixels_alike(class_weights: str) -> None:
    dataset = small_dataset()
    labels = torch.from_numpy(dataset.splits[Split.TRAIN].masks[:1].astype("int64"))
    logits, images = torch.randn(1, 4, 16, 16), torch.rand(SHAPE)
    labels[0, :2] = 255
    settings = small_settings(distillation={"weight": 0.25, "temperature": 1.0}, class_weights=class_weights)
    loss = LabelLoss(dataset, settings, small_network(), CPU)
    taught = loss.ask_teacher(images)
    assert taught is not None
    known = labels != 255
    weights = torch.ones(4)
    if class_weights != "none":
        weights = inverse_sqrt_weights(dataset.splits[Split.TRAIN], 4, ignore_index=255)
    own = functional.cross_entropy(logits, labels, ignore_index=255, reduction="none")[known]
    others = divergence(logits, taught, 1.0)[known]
    expected = (weights[labels[known]] * (0.75 * own + 0.25 * others)).mean()
    torch.testing.assert_close(loss(logits, labels, taught, loss.count(labels)), expected)


def test_without_any_labelled_pixel_there_is_nothing_to_learn() -> None:
    loss = LabelLoss(small_dataset(), small_settings(distillation={}), small_network(), CPU)
    ignored = torch.full((1, 16, 16), 255)
    taught = loss.ask_teacher(torch.rand(SHAPE))
    assert float(loss(torch.randn(1, 4, 16, 16), ignored, taught, loss.count(ignored))) == 0


def test_a_teacher_is_asked_only_where_the_settings_say_so() -> None:
    loss = LabelLoss(small_dataset(), small_settings(), small_network(), CPU)
    assert loss.ask_teacher(torch.rand(SHAPE)) is None


def test_a_teacher_is_judged_as_it_will_be_used_and_learns_nothing() -> None:
    teacher = small_network()
    loss = LabelLoss(small_dataset(), small_settings(distillation={}), teacher, CPU)
    first, again = loss.ask_teacher(torch.ones(SHAPE)), loss.ask_teacher(torch.ones(SHAPE))
    assert first is not None and again is not None
    assert torch.equal(first, again), "no dropout, no new statistics"
    assert not first.requires_grad


def test_smoothing_spreads_the_target() -> None:
    dataset = small_dataset()
    loss = LabelLoss(dataset, small_settings(label_smoothing=0.1), None, CPU)
    logits = logits_of([1.0, 2.0, 3.0, 4.0])
    expected = functional.cross_entropy(logits, torch.tensor([[[0]]]), label_smoothing=0.1)
    labels = torch.tensor([[[0]]])
    assert float(loss(logits, labels, None, loss.count(labels))) == pytest.approx(float(expected))
