"""Batches that do not fit into memory, in parts that do: on a CPU, with the shortage put in."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_training import CLASS_NAMES, SIDE, rectangles, small_dataset, small_network, small_settings
from torch import nn

from paretofarm.errors import OutOfMemory
from paretofarm.training import NetworkTraining
from workers.memory import is_out_of_memory
from workers.training import TrainingResult, train
from workers.training.batches import to_input
from workers.training.loop import _Training
from workers.training.micro_batches import MicroBatches, parts

BATCH = 8
FULL = "CUDA out of memory. Tried to allocate 2.00 GiB"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Plain(nn.Module):
    """Without normalisation and dropout: each image is on its own, so parts are no different from the whole.

    room: images at a time that its memory is enough for. asked: how many came at a time.
    """

    def __init__(self, room: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, len(CLASS_NAMES), 1))
        self.room = room
        self.asked: list[int] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.asked.append(len(images))
        if len(images) > self.room:
            raise torch.OutOfMemoryError(FULL)
        logits: torch.Tensor = self.layers(images)
        return logits


class Shrinking(nn.Module):
    """Comes down to one pixel, which batch normalisation cannot take of a single image."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.norm = nn.Conv2d(3, len(CLASS_NAMES), SIDE), nn.BatchNorm2d(len(CLASS_NAMES))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if len(images) > 1:
            raise torch.OutOfMemoryError(FULL)
        logits: torch.Tensor = self.norm(self.down(images)).expand(-1, -1, SIDE, SIDE)
        return logits


def trained(network: nn.Module, settings: NetworkTraining, teacher: nn.Module | None = None) -> TrainingResult:
    return train(network, small_dataset(), settings, epochs_total=2, seed=3, teacher=teacher)


@pytest.mark.parametrize("room", [1, 2, 3, 5])
@pytest.mark.parametrize(
    "keys",
    [
        {"optimizer": "adamw", "clip_gradients": 0.5},
        {"class_weights": "inverse_sqrt", "label_smoothing": 0.1, "distillation": {"weight": 0.5}},
    ],
)
def test_the_optimizer_sees_the_same_batches(room: int, keys: dict[str, object]) -> None:
    settings, teacher = small_settings(**keys), small_network(seed=7)
    plenty, short = Plain(BATCH), Plain(room)
    whole, in_parts = (trained(network, settings, teacher) for network in (plenty, short))
    for (name, expected), found in zip(plenty.state_dict().items(), short.state_dict().values(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4, msg=lambda text, name=name: f"{name}: {text}")
    assert in_parts.metrics["loss"] == pytest.approx(whole.metrics["loss"], rel=1e-3)
    assert [epoch.train_loss for epoch in in_parts.epochs] == pytest.approx(
        [e.train_loss for e in whole.epochs], rel=1e-3
    )


def test_a_batch_that_fits_gives_the_bits_of_a_plain_step() -> None:
    network, plain = small_network(), small_network()
    training = _Training(network, small_dataset(), small_settings(), 3, torch.device("cpu"), None)
    plain.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    split = rectangles(BATCH, seed=0)
    images, labels = to_input(torch.from_numpy(split.images)), torch.from_numpy(split.masks).long()
    torch.manual_seed(5)
    loss = training.differentiate(images, labels, BATCH)
    torch.manual_seed(5)
    expected = nn.functional.cross_entropy(plain(images), labels, ignore_index=255, reduction="sum") / labels.numel()
    expected.backward()  # type: ignore[no-untyped-call]
    assert torch.equal(loss, expected.detach())
    for found, wanted in zip(network.parameters(), plain.parameters(), strict=True):
        assert found.grad is not None and wanted.grad is not None
        assert torch.equal(found.grad, wanted.grad)


@pytest.mark.parametrize(("room", "expected"), [(100, 8), (8, 8), (7, 4), (3, 2), (1, 1)])
def test_the_result_tells_how_many_images_fitted(room: int, expected: int) -> None:
    network = Plain(room)
    assert trained(network, small_settings()).micro_batch == expected
    assert max(network.asked) <= BATCH
    too_many = [asked for asked in network.asked if asked > room]
    assert all(later < earlier for earlier, later in pairwise(too_many)), "what was too much is not tried again"


def test_no_epoch_is_trained_twice_and_normalisation_lives_with_parts() -> None:
    network, epochs = nn.Sequential(Gate(2), small_network()), []
    result = train(network, small_dataset(), small_settings(), epochs_total=3, seed=1, on_epoch=epochs.append)
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3]
    assert result.epochs[-1].train_loss < result.epochs[0].train_loss


def test_not_even_one_image_is_out_of_memory() -> None:
    with pytest.raises(OutOfMemory, match=r"batches of 8 does not fit into memory: CUDA out of memory"):
        trained(Plain(0), small_settings())


def test_an_image_that_cannot_be_normalised_alone_is_out_of_memory() -> None:
    with pytest.raises(OutOfMemory, match="1 at a time, as would fit: Expected more than 1 value"):
        trained(Shrinking(), small_settings())


def test_any_other_error_is_not_tried_again() -> None:
    calls: list[int] = []

    def broken(size: int) -> None:
        calls.append(size)
        raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="multiplied"):
        MicroBatches(8).fitted(broken)
    assert calls == [8]


def test_a_wrong_value_of_a_whole_batch_is_what_it_is() -> None:
    def wrong(size: int) -> None:
        raise ValueError("Expected more than 1 value per channel")

    with pytest.raises(ValueError, match="more than 1"):
        MicroBatches(1).fitted(wrong)


@given(count=st.integers(1, 70), size=st.integers(1, 70))
def test_parts_are_the_batch_in_order_and_even(count: int, size: int) -> None:
    images = torch.arange(count)
    found = [part for part, _ in parts(images, images, size)]
    assert torch.equal(torch.cat(found), images)
    sizes = [len(part) for part in found]
    assert max(sizes) <= size and max(sizes) - min(sizes) <= 1 and min(sizes) >= 1


def test_a_whole_batch_is_one_part_and_keeps_its_layout() -> None:
    images = torch.from_numpy(rectangles(8, seed=0).images).permute(0, 3, 1, 2)
    [(part, _)] = parts(images, torch.zeros(8), 8)
    assert part.stride() == images.stride() and part.data_ptr() == images.data_ptr()


@pytest.mark.parametrize(
    "words",
    [
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    ],
)
def test_libraries_of_cuda_run_out_of_memory_in_their_own_words(words: str) -> None:
    assert is_out_of_memory(RuntimeError(words))


class Gate(nn.Module):
    """Lets so many images through at a time."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if len(images) > self.room:
            raise torch.OutOfMemoryError(FULL)
        return images
