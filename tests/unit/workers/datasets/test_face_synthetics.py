"""Archai's split, the calibration split beside it, and what a FaceSynthetics folder may lack."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretofarm.dataset import FaceSynthetics
from paretofarm.errors import DataError
from workers.datasets.dataset import Split
from workers.datasets.face_synthetics import list_face_synthetics, split_by_order


def settings(path: Path, limit: int | None = None) -> FaceSynthetics:
    return FaceSynthetics(type="face_synthetics", path=path, size=16, limit=limit)


def test_the_real_download_is_split_as_archai_splits_it() -> None:
    names = [f"{index:06d}" for index in range(100_000)]
    splits = split_by_order(names)
    assert list(splits[Split.TRAIN] + splits[Split.CALIBRATION]) == names[:88_000]
    assert list(splits[Split.VALIDATION]) == names[88_000:90_000]
    assert list(splits[Split.TEST]) == names[90_000:]
    assert list(splits[Split.CALIBRATION]) == names[87_000:88_000]


@given(st.integers(0, 20_000))
def test_splits_are_disjoint_and_complete_at_any_count(count: int) -> None:
    splits = split_by_order(range(count))
    assert sorted(index for split in Split for index in splits[split]) == list(range(count))
    assert len(splits[Split.TRAIN]) >= len(splits[Split.CALIBRATION])


def test_a_small_set_still_calibrates_on_32_images() -> None:
    assert {split: len(members) for split, members in split_by_order(range(1000)).items()} == {
        Split.TRAIN: 848,
        Split.CALIBRATION: 32,
        Split.VALIDATION: 20,
        Split.TEST: 100,
    }


def test_names_are_sorted_and_limited(make_face_folder: Callable[..., Path]) -> None:
    listing = list_face_synthetics(settings(make_face_folder(70), limit=60))
    names = [member.name for split in Split for member in listing.splits[split]]
    assert sorted(names) == [f"{index:06d}" for index in range(60)]
    assert listing.class_names[0] == "background" and listing.class_names[18] == "facewear"


@pytest.mark.parametrize("lacking", ["000007_seg.png", "000007.png"])
def test_a_missing_partner_is_named(make_face_folder: Callable[..., Path], lacking: str) -> None:
    folder = make_face_folder()
    (folder / lacking).unlink()
    with pytest.raises(DataError, match=rf"{lacking}: missing, although"):
        list_face_synthetics(settings(folder))


def test_hidden_and_other_files_are_passed_over(make_face_folder: Callable[..., Path]) -> None:
    folder = make_face_folder()
    for name in (".000099.png.unfinished", "faces.json", "LICENSE.txt"):
        (folder / name).write_text("")
    listing = list_face_synthetics(settings(folder))
    assert sum(map(len, listing.splits.values())) == 60


def test_a_missing_folder_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such folder: make it with `paretofarm data faces --out .*nowhere`"):
        list_face_synthetics(settings(tmp_path / "nowhere"))


def test_an_empty_folder_says_how_to_fill_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no images: make it with `paretofarm data faces"):
        list_face_synthetics(settings(tmp_path))


def test_too_few_images_are_refused(make_face_folder: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match="the validation split is empty"):
        list_face_synthetics(settings(make_face_folder(3)))
