"""Folders of images by class: with and without folders of their own for validation and test."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from paretofarm.dataset import ImageFolder
from paretofarm.errors import DataError
from paretofarm.task import Task
from workers.datasets import Split, class_names, open_dataset

COLOURS = {"apple": (200, 30, 30), "leaf": (30, 200, 30), "sky": (30, 30, 200)}


def write_images(folder: Path, per_class: int, classes: tuple[str, ...] = tuple(COLOURS)) -> None:
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(per_class):
            image = Image.new("RGB", (20 + number, 24), COLOURS[name])
            image.save(folder / name / f"{name}_{number:03d}{'.jpg' if number % 2 else '.png'}")


def settings(folder: Path, limit: int | None = None) -> ImageFolder:
    return ImageFolder(type="image_folder", path=folder, size=16, limit=limit)


def test_a_flat_folder_is_cut_into_splits_that_have_every_class(tmp_path: Path) -> None:
    write_images(tmp_path / "data", 40)
    dataset = open_dataset(settings(tmp_path / "data"), tmp_path / "cache")
    assert (dataset.task, dataset.class_names) == (Task.CLASSIFICATION, ("apple", "leaf", "sky"))
    wanted = {Split.TRAIN: 28, Split.VALIDATION: 4, Split.TEST: 6, Split.CALIBRATION: 2}
    for split, per_class in wanted.items():
        assert np.bincount(dataset.splits[split].masks.ravel()).tolist() == [per_class] * 3
        means = dataset.splits[split].images.reshape(-1, 256, 3).mean(axis=1)
        np.testing.assert_array_equal(means.argmax(axis=1), dataset.splits[split].masks.ravel())


def test_folders_of_validation_and_test_images_are_used_and_only_calibration_is_cut(tmp_path: Path) -> None:
    write_images(tmp_path / "data" / "train", 20)
    write_images(tmp_path / "data" / "val", 3)
    write_images(tmp_path / "data" / "test", 5, ("apple", "sky"))
    dataset = open_dataset(settings(tmp_path / "data"), tmp_path / "cache")
    sizes = {split: len(images) for split, images in dataset.splits.items()}
    assert sizes == {Split.TRAIN: 57, Split.VALIDATION: 9, Split.TEST: 10, Split.CALIBRATION: 3}
    assert set(dataset.splits[Split.TEST].masks.ravel().tolist()) == {0, 2}


def test_without_a_test_folder_it_is_cut_out_of_the_training_images(tmp_path: Path) -> None:
    write_images(tmp_path / "data" / "train", 20)
    write_images(tmp_path / "data" / "val", 3)
    dataset = open_dataset(settings(tmp_path / "data"), tmp_path / "cache")
    assert len(dataset.splits[Split.VALIDATION]) == 9
    assert len(dataset.splits[Split.TEST]) == 9
    assert all(name.startswith("train/") for name in dataset.splits[Split.TEST].names)


def test_a_limit_leaves_every_class_its_share(tmp_path: Path) -> None:
    write_images(tmp_path / "data" / "train", 40)
    write_images(tmp_path / "data" / "val", 4)
    dataset = open_dataset(settings(tmp_path / "data", limit=60), tmp_path / "cache")
    counts = np.bincount(np.concatenate([dataset.splits[split].masks.ravel() for split in Split]))
    assert counts.tolist() == [20 + 2, 20 + 2, 20 + 2]
    assert len(dataset.splits[Split.VALIDATION]) == 6


def test_names_and_their_order_may_come_from_a_file(tmp_path: Path) -> None:
    write_images(tmp_path, 20)
    (tmp_path / "classes.txt").write_text("sky\nleaf\napple\nstone\n", encoding="utf-8")
    assert class_names(settings(tmp_path)) == ("sky", "leaf", "apple", "stone")
    (tmp_path / "classes.txt").write_text("sky\nleaf\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"apple: no such class in classes\.json or classes\.txt of "):
        class_names(settings(tmp_path))


def test_what_is_missing_or_wrong_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none: no such folder; it has a folder of images for each class"):
        class_names(settings(tmp_path / "none"))
    write_images(tmp_path / "one", 20, ("apple",))
    with pytest.raises(DataError, match=r"one: number of classes is 1, must be 2 to 255"):
        class_names(settings(tmp_path / "one"))
    (tmp_path / "one" / "classes.txt").write_text("apple\npear\napple\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"classes\.txt: names 'apple' more than once"):
        class_names(settings(tmp_path / "one"))
    (tmp_path / "one" / "classes.json").write_text('["apple", "red\\npear"]', encoding="utf-8")
    with pytest.raises(DataError, match=r"classes\.json: 'red\\npear' is no name of a class"):
        class_names(settings(tmp_path / "one"))
    (tmp_path / "one" / "classes.json").unlink()
    (tmp_path / "one" / "classes.txt").write_text("apple\npear\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"pear: holds no image \(\.png, \.jpg, \.jpeg\)"):
        open_dataset(settings(tmp_path / "one"), tmp_path / "cache")
    write_images(tmp_path / "few", 3)
    with pytest.raises(DataError, match=r"few: the calibration split is empty: too few images"):
        open_dataset(settings(tmp_path / "few"), tmp_path / "cache")
    write_images(tmp_path / "other" / "train", 20)
    write_images(tmp_path / "other" / "val", 2)
    (tmp_path / "other" / "val" / "sky").rename(tmp_path / "other" / "val" / "sea")
    with pytest.raises(DataError, match=r"val/sea: no such class; there are apple, leaf, sky"):
        open_dataset(settings(tmp_path / "other"), tmp_path / "cache")


def test_a_damaged_image_is_named_and_leaves_no_cache(tmp_path: Path) -> None:
    write_images(tmp_path / "data", 20)
    (tmp_path / "data" / "leaf" / "leaf_004.png").write_bytes(b"\x89PNG no more")
    with pytest.raises(DataError, match=r"leaf_004\.png: cannot be decoded: "):
        open_dataset(settings(tmp_path / "data"), tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*.building"))
