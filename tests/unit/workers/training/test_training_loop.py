import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from small_training import CLASS_NAMES, rectangles, small_dataset, small_network, small_settings
from torch import nn

from paretofarm.errors import ArtifactMissing, DataError, OutOfMemory, TrainingDiverged
from workers.datasets import ImageMaskArrays, Split
from workers.training import EpochMetrics, train
from workers.training.batches import to_input
from workers.training.checkpoint import load_checkpoint, load_trained
from workers.training.evaluation import evaluate


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_training_learns() -> None:
    network, dataset = small_network(), small_dataset()
    untrained = _evaluated(network)
    result = train(network, dataset, small_settings(epochs=[6]), epochs_total=6, seed=1)
    assert result.metrics["miou"] > untrained + 0.3
    assert result.epochs[-1].train_loss < result.epochs[0].train_loss
    assert set(result.per_class) == set(CLASS_NAMES)
    assert result.metrics == result.epochs[-1].metrics


def test_one_epoch_shows_what_the_weights_can_do() -> None:
    """Six steps: with batch-norm's running averages alone the validation loss is far above the training's."""
    result = train(small_network(), small_dataset(), small_settings(), epochs_total=1, seed=1)
    assert result.metrics["loss"] < result.epochs[0].train_loss


@pytest.mark.parametrize("changes", [{}, {"augment": True, "lr_schedule": "cosine", "optimizer": "adamw"}])
def test_the_same_seed_gives_the_same_bits(changes: dict[str, object]) -> None:
    runs = [_trained(small_settings(**changes), seed=5) for _ in range(2)]
    assert runs[0][1].epochs == runs[1][1].epochs
    assert _bits(runs[0][0]) == _bits(runs[1][0])


def test_another_seed_gives_another_result() -> None:
    assert _trained(small_settings(), seed=5)[1].epochs != _trained(small_settings(), seed=6)[1].epochs


@pytest.mark.parametrize("lr_schedule", ["constant", "cosine"])
def test_a_resumed_training_equals_one_never_interrupted(lr_schedule: str, tmp_path: Path) -> None:
    settings, dataset = small_settings(epochs=[2, 4], lr_schedule=lr_schedule, augment=True), small_dataset()
    whole, whole_result = _trained(settings, seed=3)
    first = train(small_network(), dataset, settings, epochs_total=2, seed=3, save_to=tmp_path / "rung0.pt")
    resumed = small_network(seed=99)
    second = train(resumed, dataset, settings, epochs_total=4, seed=3, resume_from=tmp_path / "rung0.pt")
    assert first.epochs + second.epochs == whole_result.epochs
    assert _bits(resumed) == _bits(whole)


OPTIONS: dict[str, dict[str, object]] = {
    "recipe": {"recipe": "strong"},
    "average": {"ema_decay": 0.9},
    "warm-up": {"warmup_epochs": 1.0, "clip_gradients": 0.5, "weight_decay": 0.1, "weight_decay_on": "kernels"},
    "augmentation": {"augment": "strong"},
    "quantization": {"quantization_aware": {"epochs": 3}},
    "smoothing": {"label_smoothing": 0.1, "class_weights": "inverse_sqrt"},
    "teacher": {"distillation": {"weight": 0.7}},
    "plateau": {"early_stop": {"patience_epochs": 1, "min_gain": 0.2}},
}


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_survives_an_interruption(option: str, tmp_path: Path) -> None:
    settings, dataset, path = small_settings(epochs=[4], **OPTIONS[option]), small_dataset(), tmp_path / "c.pt"
    teacher = small_network(seed=7)
    whole = small_network()
    whole_result = train(whole, dataset, settings, epochs_total=4, seed=3, teacher=teacher)
    epochs = list(
        train(small_network(), dataset, settings, epochs_total=2, seed=3, teacher=teacher, save_to=path).epochs
    )
    resumed = small_network(seed=99)
    for _ in range(2):
        again = train(
            resumed, dataset, settings, epochs_total=4, seed=3, teacher=teacher, resume_from=path, save_to=path
        )
        epochs += again.epochs
    assert tuple(epochs) == whole_result.epochs
    assert again.epochs_total == whole_result.epochs_total
    assert again.metrics == whole_result.metrics
    assert _bits(resumed) == _bits(whole)


@pytest.mark.parametrize("option", sorted(OPTIONS.keys() - {"plateau"}))
def test_every_option_changes_what_is_learned(option: str) -> None:
    teacher = small_network(seed=7)
    plain, changed = (
        train(small_network(), small_dataset(), small_settings(**keys), epochs_total=2, seed=3, teacher=teacher)
        for keys in ({}, OPTIONS[option])
    )
    assert plain.metrics != changed.metrics


def test_a_training_ends_at_a_plateau() -> None:
    settings = small_settings(epochs=[50], early_stop={"patience_epochs": 2, "min_gain": 0.05})
    result = train(small_network(), small_dataset(), settings, epochs_total=50, seed=1)
    course = [epoch.metrics["miou"] for epoch in result.epochs]
    assert result.epochs_total == len(course) < 50
    assert max(course[-2:]) < max(course[:-2]) + 0.05
    assert result.metrics == result.epochs[-1].metrics


def test_the_network_ends_with_the_average_that_was_scored(tmp_path: Path) -> None:
    network, path = small_network(), tmp_path / "c.pt"
    result = train(network, small_dataset(), small_settings(ema_decay=0.99), epochs_total=2, seed=1, save_to=path)
    checkpoint = load_checkpoint(path, torch.device("cpu"))
    assert checkpoint.average is not None
    assert torch.equal(network.head.weight, checkpoint.average["head.weight"])
    assert not torch.equal(network.head.weight, checkpoint.network["head.weight"])
    loaded = small_network(seed=5)
    load_trained(loaded, path)
    assert _evaluated(loaded) == result.metrics["miou"]


def test_a_checkpoint_without_an_average_cannot_go_on_with_one(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    train(small_network(), small_dataset(), small_settings(), epochs_total=1, seed=3, save_to=path)
    with pytest.raises(ArtifactMissing, match="without averaged weights"):
        train(small_network(), small_dataset(), small_settings(ema_decay=0.9), epochs_total=2, seed=3, resume_from=path)


def test_a_student_learns_from_its_teacher_what_no_label_says() -> None:
    dataset, settings = small_dataset(), small_settings(distillation={"weight": 1.0})
    teacher = small_network(seed=7)
    train(teacher, dataset, small_settings(), epochs_total=4, seed=0)
    with torch.no_grad():
        for parameter in teacher.head.parameters():
            parameter.copy_(parameter.roll(1, dims=0))
    student = small_network()
    result = train(student, dataset, settings, epochs_total=4, seed=1, teacher=teacher)
    images = to_input(torch.from_numpy(dataset.splits[Split.VALIDATION].images))
    with torch.no_grad():
        said, learned = (network.eval()(images).argmax(1) for network in (teacher, student))
    assert float((said == learned).float().mean()) > 0.8
    assert result.metrics["pixel_accuracy"] < 0.2


def test_a_rung_that_is_done_already_is_only_scored(tmp_path: Path) -> None:
    done = train(small_network(), small_dataset(), small_settings(), epochs_total=1, seed=3, save_to=tmp_path / "c.pt")
    again = train(
        small_network(), small_dataset(), small_settings(), epochs_total=1, seed=3, resume_from=tmp_path / "c.pt"
    )
    assert again.epochs == ()
    assert again.metrics == done.metrics


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    train(small_network(), small_dataset(), small_settings(), epochs_total=1, seed=3, save_to=tmp_path / "c.pt")
    with pytest.raises(ArtifactMissing, match="another network"):
        train(
            nn.Conv2d(3, 4, 1), small_dataset(), small_settings(), epochs_total=2, seed=3, resume_from=tmp_path / "c.pt"
        )


def test_a_checkpoint_of_another_seed_is_refused(tmp_path: Path) -> None:
    train(small_network(), small_dataset(), small_settings(), epochs_total=1, seed=3, save_to=tmp_path / "c.pt")
    with pytest.raises(ArtifactMissing, match="seed 3, not 4"):
        train(small_network(), small_dataset(), small_settings(), epochs_total=2, seed=4, resume_from=tmp_path / "c.pt")


def test_epochs_and_progress_are_told_as_they_happen(tmp_path: Path) -> None:
    told: list[EpochMetrics | float] = []
    settings = small_settings(epochs=[2])
    path = tmp_path / "c.pt"

    def on_epoch(epoch: EpochMetrics) -> None:
        assert path.exists(), "the checkpoint is there before the epoch is told"
        told.append(epoch)

    result = train(
        small_network(),
        small_dataset(),
        settings,
        epochs_total=2,
        seed=1,
        save_to=path,
        on_epoch=on_epoch,
        on_progress=told.append,
    )
    assert told == [0.5, result.epochs[0], 1.0, result.epochs[1]]


def test_a_loss_that_is_not_finite_is_divergence() -> None:
    with pytest.raises(TrainingDiverged, match="the loss became nan by step 6 of epoch 1"):
        train(_Broken(float("nan")), small_dataset(), small_settings(), epochs_total=1, seed=1)


def test_divergence_under_a_wild_learning_rate() -> None:
    with pytest.raises(TrainingDiverged):
        train(_Exploding(), small_dataset(), small_settings(learning_rate=10.0), epochs_total=4, seed=1)


def test_running_out_of_memory_is_named() -> None:
    with pytest.raises(OutOfMemory, match=r"batches of 8 does not fit into memory: .*allocate memory"):
        train(_Greedy(), small_dataset(), small_settings(), epochs_total=1, seed=1)


def test_an_empty_split_is_a_data_error() -> None:
    dataset = small_dataset(validation=0)
    with pytest.raises(DataError, match="validation split is empty"):
        train(small_network(), dataset, small_settings(), epochs_total=1, seed=1)


def test_a_single_class_is_a_data_error() -> None:
    split = rectangles(8, seed=0)
    plain = ImageMaskArrays(split.images, np.where(split.masks > 0, 255, 0).astype(np.uint8), split.names)
    dataset = small_dataset()
    dataset = dataclasses.replace(dataset, splits={**dataset.splits, Split.TRAIN: plain})
    with pytest.raises(DataError, match="one class only"):
        train(small_network(), dataset, small_settings(), epochs_total=1, seed=1)


def test_batches_without_any_label_teach_nothing_and_break_nothing() -> None:
    dataset = small_dataset(train=16)
    masks = dataset.splits[Split.TRAIN].masks.copy()
    masks[1:] = 255
    train_split = dataclasses.replace(dataset.splits[Split.TRAIN], masks=masks)
    dataset = dataclasses.replace(dataset, splits={**dataset.splits, Split.TRAIN: train_split})
    result = train(small_network(), dataset, small_settings(batch_size=1), epochs_total=1, seed=1)
    assert np.isfinite(result.metrics["loss"])


def test_a_network_without_batch_norm_trains_too() -> None:
    result = train(nn.Conv2d(3, 4, 1), small_dataset(), small_settings(), epochs_total=2, seed=1)
    assert result.epochs[1].train_loss < result.epochs[0].train_loss


def _evaluated(network: nn.Module) -> float:
    """mIoU over the validation split."""
    split, device = small_dataset().splits[Split.VALIDATION], torch.device("cpu")
    return evaluate(network, split, CLASS_NAMES, ignore_index=255, batch_size=8, device=device).scores.miou


def _trained(settings, *, seed: int):  # type: ignore[no-untyped-def]
    network = small_network()
    result = train(network, small_dataset(), settings, epochs_total=settings.epochs[-1], seed=seed)
    return network, result


def _bits(network: nn.Module) -> list[bytes]:
    return [tensor.contiguous().numpy().tobytes() for tensor in network.state_dict().values()]


class _Broken(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 1)
        self.factor = factor

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.layer(images) * self.factor
        return logits


class _Exploding(nn.Module):
    """No normalisation, and a product that grows with the weights to the tenth power."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = (self.layer(images) * 1e4) ** 10
        return logits


class _Greedy(nn.Module):
    """Asks for more memory than any machine has."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.empty(2**58, dtype=torch.uint8)
