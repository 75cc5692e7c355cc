"""The general folder: splits by file or by hash, and every way in which it can be incomplete."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from paretofarm.dataset import ImageMaskFolder
from paretofarm.errors import DataError
from workers.datasets.dataset import Split
from workers.datasets.image_mask_folder import list_image_mask_folder, split_by_hash
from workers.datasets.listing import Listing

MakeFolder = Callable[..., Path]


def read(path: Path, limit: int | None = None) -> Listing:
    return list_image_mask_folder(ImageMaskFolder(type="image_mask_folder", path=path, size=16, limit=limit))


def write_splits(folder: Path, **names: str) -> None:
    (folder / "splits").mkdir()
    for split, lines in names.items():
        (folder / "splits" / f"{split}.txt").write_text(lines)


def test_split_files_decide(make_mask_folder: MakeFolder) -> None:
    folder = make_mask_folder(6)
    write_splits(folder, train="shape3\nshape1\n\n", validation="shape0", calibration=" shape2 ", test="shape4")
    listing = read(folder)
    assert [member.name for member in listing.splits[Split.TRAIN]] == ["shape3", "shape1"]
    assert [member.name for member in listing.splits[Split.CALIBRATION]] == ["shape2"]
    assert listing.class_names == ("nothing", "square", "circle")


def test_without_split_files_the_hash_decides_and_stays_when_images_are_added() -> None:
    few = split_by_hash([f"image{index}" for index in range(4000)])
    more = split_by_hash([f"image{index}" for index in range(6000)])
    assert all(set(few[split]) <= set(more[split]) for split in Split)
    assert sorted(name for split in Split for name in few[split]) == sorted(f"image{index}" for index in range(4000))
    shares = [len(few[split]) / 4000 for split in (Split.TRAIN, Split.VALIDATION, Split.TEST, Split.CALIBRATION)]
    assert shares == pytest.approx([0.7, 0.1, 0.15, 0.05], abs=0.02)


def test_limit_takes_the_first_names(make_mask_folder: MakeFolder) -> None:
    folder = make_mask_folder(90)
    names = sorted(path.stem for path in (folder / "images").iterdir())[:70]
    assert sorted(m.name for members in read(folder, limit=70).splits.values() for m in members) == names


@pytest.mark.parametrize("lacking", ["masks/shape5.png", "images/shape5.png"])
def test_a_missing_partner_is_named(make_mask_folder: MakeFolder, lacking: str) -> None:
    folder = make_mask_folder()
    (folder / lacking).unlink()
    with pytest.raises(DataError, match=f"{lacking}: missing, although"):
        read(folder)


def test_two_images_of_one_name_are_refused(make_mask_folder: MakeFolder) -> None:
    folder = make_mask_folder()
    (folder / "images" / "shape5.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"shape5\.png: shape5\.jpg has the same name"):
        read(folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[", "not JSON"),
        ('{"0": "sky"}', "must be a list"),
        ('["sky", 3]', "must be a list"),
        ('["sky"]', "number of classes is 1, must be 2 to 255"),
        ('["sky", "sky"]', "names 'sky' more than once"),
    ],
)
def test_wrong_class_names_are_refused(make_mask_folder: MakeFolder, content: str, reason: str) -> None:
    folder = make_mask_folder()
    (folder / "classes.json").write_text(content)
    with pytest.raises(DataError, match=rf"classes\.json: .*{reason}"):
        read(folder)


def test_missing_class_names_are_named(make_mask_folder: MakeFolder) -> None:
    folder = make_mask_folder()
    (folder / "classes.json").unlink()
    with pytest.raises(DataError, match=r"classes\.json: cannot be read: No such file"):
        read(folder)


@pytest.mark.parametrize(
    ("test_names", "reason"),
    [("shape9", "shape9 is not in images"), ("shape0", r"shape0 is in train\.txt already"), (None, "all four")],
)
def test_wrong_split_files_are_named(make_mask_folder: MakeFolder, test_names: str | None, reason: str) -> None:
    folder = make_mask_folder(4)
    names = {"train": "shape0", "validation": "shape1", "calibration": "shape2"}
    write_splits(folder, **names, **({"test": test_names} if test_names else {}))
    with pytest.raises(DataError, match=rf"test\.txt: .*{reason}"):
        read(folder)


def test_an_empty_split_is_refused(make_mask_folder: MakeFolder) -> None:
    folder = make_mask_folder(4)
    write_splits(folder, train="shape0", validation="shape1", calibration="shape2", test="")
    with pytest.raises(DataError, match="the test split is empty"):
        read(folder)


def test_missing_parts_are_named(make_mask_folder: MakeFolder, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: no such folder: `paretofarm data brain --out .*nowhere`"):
        read(tmp_path / "nowhere")
    empty = tmp_path / "empty"
    (empty / "images").mkdir(parents=True)
    (empty / "classes.json").write_text(json.dumps(["a", "b"]))
    with pytest.raises(DataError, match=r"images: holds no \.png or \.jpg or \.jpeg files"):
        read(empty)
