import sys

import pytest
import torch
from small_training import CLASS_NAMES, rectangles, small_dataset, small_settings

from workers.training import train
from workers.training.batches import Batches, in_order
from workers.training.distortion import Distortion


@pytest.fixture(scope="module")
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    split = rectangles(8, seed=0, side=64)
    return next(iter(Batches(split, 8, torch.device("cpu")).read(in_order(8, 8))))


@pytest.fixture(scope="module")
def distorted(batch: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return Distortion(255)(*batch)


def test_shapes_types_and_ranges_stay(batch, distorted) -> None:  # type: ignore[no-untyped-def]
    for before, after in zip(batch, distorted, strict=True):
        assert (after.shape, after.dtype) == (before.shape, before.dtype)
    images, labels = distorted
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert float(images.min()) >= 0 and float(images.max()) <= 1
    assert set(labels.unique().tolist()) == {*range(len(CLASS_NAMES)), 255}


def test_labels_go_where_their_pixels_go(batch, distorted) -> None:  # type: ignore[no-untyped-def]
    """Each class has a colour of its own, by which its pixels are known after the move too."""
    torch.manual_seed(1)
    plain = Distortion(255)
    plain._colour = torch.nn.Identity()
    images, labels = plain(*batch)
    for label in range(1, len(CLASS_NAMES)):
        pixels = images.permute(0, 2, 3, 1)[labels == label]
        own, others = pixels[:, label - 1], pixels.sum(1) - pixels[:, label - 1]
        assert float((own > others).float().mean()) > 0.9


def test_ignored_pixels_stay_ignored(batch) -> None:  # type: ignore[no-untyped-def]
    images, labels = batch
    _, moved = Distortion(255)(images, torch.full_like(labels, 255))
    assert moved.unique().tolist() == [255]


def test_only_the_seed_decides(batch) -> None:  # type: ignore[no-untyped-def]
    distortion, results = Distortion(255), []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        results.append(distortion(*batch))
    assert all(torch.equal(*pair) for pair in zip(results[0], results[1], strict=True))
    assert not torch.equal(results[0][0], results[2][0])


def test_other_trainings_do_not_pay_for_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    from small_training import small_network

    monkeypatch.setitem(sys.modules, "kornia.augmentation", None)
    train(small_network(), small_dataset(), small_settings(augment="mirror"), epochs_total=1, seed=0)
    with pytest.raises(ImportError):
        Distortion(255)
