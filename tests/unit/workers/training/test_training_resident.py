import numpy as np
import torch
from small_training import rectangles

from workers.training.batches import Batches, shuffled
from workers.training.mirror import Mirror
from workers.training.resident import ResidentSplit, fits, nearest

CPU = torch.device("cpu")


def test_a_resident_split_gives_the_batches_that_a_mapped_one_gives() -> None:
    split = rectangles(20, seed=0)
    order = shuffled(20, 8, np.random.default_rng(0))
    mapped = [(images.clone(), labels) for images, labels in Batches(split, 8, CPU).read(order)]
    resident = list(Batches(ResidentSplit.of(split, CPU), 8, CPU).read(order))
    assert len(resident) == len(mapped) == 2
    for (images, labels), (expected, expected_labels) in zip(resident, mapped, strict=True):
        assert torch.equal(images, expected) and torch.equal(labels, expected_labels)
        assert images.is_contiguous(memory_format=torch.channels_last)


def test_what_is_changed_in_a_batch_is_not_changed_in_the_split() -> None:
    split = rectangles(8, seed=0)
    resident, mirror = ResidentSplit.of(split, CPU), Mirror(("background",))

    def mirrored(images: torch.Tensor, masks: torch.Tensor) -> None:
        mirror.apply(images, masks, np.ones(len(images), bool))

    list(Batches(resident, 8, CPU).read([np.arange(8)], mirrored))
    np.testing.assert_array_equal(resident.images.numpy(), split.images)
    np.testing.assert_array_equal(resident.masks.numpy(), split.masks)


def test_a_split_may_take_a_quarter_of_what_is_free() -> None:
    split = rectangles(4, seed=0)
    needed = 4 * 16 * 16 * 4
    assert fits(split, 4 * needed) and not fits(split, 4 * needed - 4)


def test_main_memory_is_near_enough_for_a_cpu() -> None:
    split = rectangles(4, seed=0)
    assert nearest(split, CPU) is split
