"""The MRI slices: real, labelled, and split so that no test slice has a neighbour among the training ones."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from paretofarm.dataset import ImageMaskFolder
from paretofarm.errors import DataError
from workers.datasets import Dataset, Split, open_dataset
from workers.datasets.brain import AXES, BRAIN_CLASS_NAMES, GAP, load_volumes, split_of, write_brain


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("mri") / "brain"
    write_brain(out)
    return out


@pytest.fixture(scope="module")
def dataset(folder: Path) -> Dataset:
    settings = ImageMaskFolder(type="image_mask_folder", path=folder, size=64)
    return open_dataset(settings, folder.parent / "cache")


def test_there_are_at_least_four_hundred_slices_of_all_axes(dataset: Dataset) -> None:
    names = [name for split in Split for name in dataset.splits[split].names]
    assert len(names) >= 400
    assert {name.split("_")[0] for name in names} == set(AXES)


def test_every_split_holds_every_class(dataset: Dataset) -> None:
    assert dataset.class_names == BRAIN_CLASS_NAMES
    for split in Split:
        shares = np.bincount(dataset.splits[split].masks.ravel(), minlength=4) / dataset.splits[split].masks.size
        assert len(shares) == 4 and shares.min() > 0.01


def test_white_matter_is_brighter_than_grey_and_grey_than_fluid(dataset: Dataset) -> None:
    train = dataset.splits[Split.TRAIN]
    means = [train.images[..., 0][train.masks == label].mean() for label in range(4)]
    assert means == sorted(means)


def test_no_two_splits_hold_neighbouring_slices() -> None:
    length = 181
    for axis in ("coronal", "axial"):
        splits = [split_of(axis, position, length) for position in range(length)]
        for here in range(length):
            near = {splits[there] for there in range(here, min(here + GAP + 1, length))} - {None}
            assert len(near) <= 1


def test_mirrored_sagittal_slices_share_their_split() -> None:
    for length in (145, 146):
        splits = [split_of("sagittal", position, length) for position in range(length)]
        assert splits == splits[::-1]
        assert set(splits) == {*Split, None}


def test_the_atlas_is_mirrored_indeed() -> None:
    t1, labels = load_volumes()
    assert np.array_equal(t1, t1[::-1]) and np.array_equal(labels, labels[::-1])


def test_the_licence_lies_beside_the_images(folder: Path) -> None:
    notice = " ".join((folder / "ATTRIBUTION.txt").read_text().split())
    holder = "Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological Institute, McGill University"
    assert f"Copyright (C) 1993-2004 {holder}. Permission to use" in notice
    assert "provided that the above copyright notice appear in all copies" in notice
    assert "10.1016/j.neuroimage.2010.07.033" in notice
    assert json.loads((folder / "classes.json").read_text()) == list(BRAIN_CLASS_NAMES)


def test_a_complete_folder_is_left_alone(folder: Path) -> None:
    before = (folder / "images" / "axial_080.png").stat().st_mtime_ns
    assert write_brain(folder) >= 400
    assert (folder / "images" / "axial_080.png").stat().st_mtime_ns == before


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("")
    with pytest.raises(DataError, match="something else"):
        write_brain(tmp_path)


def test_the_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(DataError, match=r"pip install 'paretofarm\[brain\]'"):
        write_brain(tmp_path / "brain")
