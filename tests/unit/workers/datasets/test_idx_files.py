"""Data sets in the files of MNIST: what is read, how it is split, and what is said of files that are not whole."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from idx_data import TEST, TRAIN, idx, write_idx

from paretofarm.dataset import IdxFiles
from paretofarm.errors import DataError
from paretofarm.task import Task
from workers.datasets import Split, class_names, open_dataset


def settings(folder: Path, limit: int | None = None) -> IdxFiles:
    return IdxFiles(type="idx", path=folder, size=16, limit=limit)


@pytest.mark.parametrize("zipped", [True, False])
def test_images_are_three_equal_channels_with_one_class_each(tmp_path: Path, zipped: bool) -> None:
    write_idx(tmp_path / "data", zipped=zipped)
    dataset = open_dataset(settings(tmp_path / "data"), tmp_path / "cache")
    assert (dataset.task, dataset.class_names) == (Task.CLASSIFICATION, ("0", "1", "2"))
    for split in dataset.splits.values():
        assert split.images.shape[1:] == (16, 16, 3)
        assert split.masks.shape == (len(split), 1, 1)
        np.testing.assert_array_equal(split.images, np.broadcast_to(split.masks[..., None] * 10, split.images.shape))


def test_the_training_file_is_cut_and_the_test_file_is_the_test_split(tmp_path: Path) -> None:
    write_idx(tmp_path / "data")
    dataset = open_dataset(settings(tmp_path / "data"), tmp_path / "cache")
    sizes = {split: len(images) for split, images in dataset.splits.items()}
    assert sizes == {Split.TRAIN: 102, Split.VALIDATION: 12, Split.CALIBRATION: 6, Split.TEST: TEST}
    assert all(name.startswith("t10k/") for name in dataset.splits[Split.TEST].names)
    for split, per_class in ((Split.TRAIN, 34), (Split.VALIDATION, 4), (Split.CALIBRATION, 2)):
        assert np.bincount(dataset.splits[split].masks.ravel()).tolist() == [per_class] * 3
    names = [set(images.names) for images in dataset.splits.values()]
    assert len(set.union(*names)) == sum(map(len, names)) == TRAIN + TEST


def test_a_limit_takes_the_same_share_of_both_files_and_a_smaller_one_less_of_the_same(tmp_path: Path) -> None:
    write_idx(tmp_path / "data")
    limited = open_dataset(settings(tmp_path / "data", limit=60), tmp_path / "cache")
    assert sum(len(images) for split, images in limited.splits.items() if split is not Split.TEST) == 60
    assert len(limited.splits[Split.TEST]) == TEST // 2
    whole = open_dataset(settings(tmp_path / "data"), tmp_path / "cache")
    for split in Split:
        count = len(limited.splits[split])
        assert whole.splits[split].names[:count] == limited.splits[split].names


def test_classes_are_named_by_a_file_of_the_folder(tmp_path: Path) -> None:
    write_idx(tmp_path)
    (tmp_path / "classes.txt").write_text("coat\nbag\nankle boot\n\n", encoding="utf-8")
    assert class_names(settings(tmp_path)) == ("coat", "bag", "ankle boot")
    (tmp_path / "classes.json").write_text('["a", "b", "c", "d"]', encoding="utf-8")
    assert class_names(settings(tmp_path)) == ("a", "b", "c", "d"), "JSON comes first"
    (tmp_path / "classes.json").write_text('["a", "b"]', encoding="utf-8")
    with pytest.raises(DataError, match=r"labels-idx1-ubyte.gz: holds class id 2; ids are 0 to 1"):
        open_dataset(settings(tmp_path), tmp_path / "cache")


def test_the_cache_is_built_again_when_a_file_has_changed(tmp_path: Path) -> None:
    write_idx(tmp_path / "data")
    first = open_dataset(settings(tmp_path / "data"), tmp_path / "cache")
    again = open_dataset(settings(tmp_path / "data"), tmp_path / "cache")
    assert again.task is Task.CLASSIFICATION and again.splits[Split.TRAIN].names == first.splits[Split.TRAIN].names
    other = (np.arange(TRAIN) + 1) % 3
    (tmp_path / "data" / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(other)))
    relabelled = open_dataset(settings(tmp_path / "data"), tmp_path / "cache")
    assert relabelled.splits[Split.TRAIN].masks[0] == first.splits[Split.TRAIN].masks[0] + 1
    brighter = np.full((TRAIN, 28, 28), 250)
    (tmp_path / "data" / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(brighter)))
    assert open_dataset(settings(tmp_path / "data"), tmp_path / "cache").splits[Split.TRAIN].images.min() == 250


IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        (IMAGES, None, "train-images-idx3-ubyte: missing, with and without .gz"),
        ("t10k-labels-idx1-ubyte.gz", None, "t10k-labels-idx1-ubyte: missing, with and without .gz"),
        (IMAGES, b"no gzip at all", f"{IMAGES}: damaged: Not a gzipped file"),
        (IMAGES, gzip.compress(idx(np.zeros((TRAIN, 28, 28))))[:-30], f"{IMAGES}: damaged: "),
        (
            IMAGES,
            gzip.compress(b"\x00\x00\x0d\x03" + bytes(20)),
            f"{IMAGES}: no IDX file of unsigned bytes with 3 axes",
        ),
        (IMAGES, gzip.compress(idx(np.zeros(7))), f"{IMAGES}: no IDX file of unsigned bytes with 3 axes"),
        (IMAGES, gzip.compress(b""), f"{IMAGES}: no IDX file of unsigned bytes with 3 axes"),
        (IMAGES, gzip.compress(idx(np.zeros((TRAIN, 28, 28)))[:-28]), "holds 94052 bytes of data, its header promises"),
        (IMAGES, gzip.compress(idx(np.zeros((9, 28, 28)))), f"{LABELS}: labels 120 images, but {IMAGES} holds 9"),
        (
            IMAGES,
            gzip.compress(bytes((0, 0, 8, 3)) + b"\xff" * 12),
            "its header promises 79228162458924105385300197375",
        ),
        (IMAGES, gzip.compress(idx(np.zeros((TRAIN, 28, 0)))), f"{IMAGES}: its header says that images are of 28 rows"),
        (LABELS, gzip.compress(idx(np.zeros(TRAIN))), f"{LABELS}: number of classes is 1, must be 2 to 255"),
    ],
    ids=[
        *("no images", "no labels of the test images", "not gzipped", "cut off", "not bytes", "not images", "empty"),
        *("fewer bytes than promised", "fewer images than labels", "absurd", "no pixels", "one class"),
    ],
)
def test_a_file_that_is_missing_or_damaged_is_named(
    tmp_path: Path, name: str, content: bytes | None, complaint: str
) -> None:
    write_idx(tmp_path / "data")
    (tmp_path / "data" / name).unlink()
    if content is not None:
        (tmp_path / "data" / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        open_dataset(settings(tmp_path / "data"), tmp_path / "cache")
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_folder_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: no such folder: `paretofarm data fashion --out .*nowhere`"):
        open_dataset(settings(tmp_path / "nowhere"), tmp_path / "cache")
