import numpy as np
import pytest
import torch
from small_training import rectangles

from workers.datasets import ImageMaskArrays
from workers.training.batches import Batches, in_order, shuffled, spread, to_input
from workers.training.resident import ResidentSplit


def test_inputs_are_floats_between_zero_and_one_in_channel_order() -> None:
    images = torch.tensor([[[[0, 51, 255]]]], dtype=torch.uint8)
    batch = to_input(images)
    assert batch.shape == (1, 3, 1, 1)
    torch.testing.assert_close(batch.flatten(), torch.tensor([0.0, 0.2, 1.0]))


def test_batches_hold_what_the_split_holds() -> None:
    split = rectangles(5, seed=0)
    batches = [(images.clone(), labels.clone()) for images, labels in _batches(split, 2)]
    assert [len(images) for images, _ in batches] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate([labels.numpy() for _, labels in batches]), split.masks)
    images = np.concatenate([images.numpy() for images, _ in batches]).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(images * 255, split.images, atol=1e-3)
    assert all(images.is_contiguous(memory_format=torch.channels_last) for images, _ in batches)


def _batches(split, size):  # type: ignore[no-untyped-def]
    return Batches(split, size, torch.device("cpu")).read(in_order(len(split), size))


def test_an_epoch_shows_every_image_at_most_once_in_whole_batches() -> None:
    order = shuffled(50, 16, np.random.default_rng(0))
    assert [len(batch) for batch in order] == [16, 16, 16]
    assert len(set(np.concatenate(order).tolist())) == 48


def test_fewer_images_than_a_batch_are_one_batch() -> None:
    (batch,) = shuffled(5, 16, np.random.default_rng(0))
    assert sorted(batch.tolist()) == [0, 1, 2, 3, 4]


def test_the_order_depends_on_the_generator_only() -> None:
    first, again, other = (np.concatenate(shuffled(32, 8, np.random.default_rng(seed))) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("resident", [False, True])
def test_so_many_of_a_split_are_of_all_classes_wherever_it_is_kept(resident: bool) -> None:
    labels = (np.arange(41) % 2).astype(np.uint8).reshape(41, 1, 1)
    split = ImageMaskArrays(np.zeros((41, 1, 1, 3), np.uint8), labels, tuple(map(str, range(41))))
    chosen = spread(ResidentSplit.of(split, torch.device("cpu")) if resident else split, 21)
    assert sorted(np.bincount(labels[chosen].ravel())) == [10, 11]
