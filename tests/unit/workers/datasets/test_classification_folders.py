"""`paretofarm data fashion` and `accessories`: folders that classifications are trained on."""

from pathlib import Path

import pytest
from idx_data import write_idx

from paretofarm.dataset import IdxFiles, ImageFolder
from paretofarm.errors import DataError
from workers.datasets import Split, class_names, open_dataset
from workers.datasets.accessories import write_accessories
from workers.datasets.faces import write_faces
from workers.datasets.fashion import FASHION_CLASS_NAMES, write_fashion


def test_fashion_is_what_the_package_ships_with_names_and_licence(tmp_path: Path) -> None:
    write_idx(tmp_path / "package", classes=10)
    for _ in range(2):  # once more: it is left as it is
        assert write_fashion(tmp_path / "data" / "fashion", tmp_path / "package") == 70_000
    out = tmp_path / "data" / "fashion"
    assert class_names(IdxFiles(type="idx", path=out, size=32)) == FASHION_CLASS_NAMES
    assert "Zalando SE" in (out / "LICENCE.txt").read_text(encoding="utf-8")
    assert [path.name for path in out.parent.iterdir()] == ["fashion"]


def test_without_the_package_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train-images.*\.gz: missing: apt-get install dataset-fashion-mnist, or say"):
        write_fashion(tmp_path / "fashion", tmp_path / "nowhere")


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    write_idx(tmp_path / "package")
    with pytest.raises(DataError, match="holds something else already"):
        write_fashion(tmp_path, tmp_path / "package")


def test_faces_are_sorted_by_what_they_wear(tmp_path: Path) -> None:
    write_faces(tmp_path / "faces", 120, 32, 7, processes=1)
    counts = write_accessories(tmp_path / "faces", tmp_path / "accessories")
    assert set(counts) == {"bare", "glasses", "headwear", "facewear"}
    assert min(counts.values()) > 0 and 60 < sum(counts.values()) < 120, "those who wear two things are left out"
    folders = {path.name: len(list(path.iterdir())) for path in (tmp_path / "accessories").iterdir()}
    assert folders == counts
    with pytest.raises(DataError, match="holds something already"):
        write_accessories(tmp_path / "faces", tmp_path / "accessories")


def test_what_was_sorted_can_be_trained_on(tmp_path: Path) -> None:
    write_faces(tmp_path / "faces", 300, 16, 7, processes=1)
    write_accessories(tmp_path / "faces", tmp_path / "accessories")
    dataset = open_dataset(ImageFolder(type="image_folder", path=tmp_path / "accessories", size=16), tmp_path / "cache")
    assert dataset.class_names == ("bare", "facewear", "glasses", "headwear")
    assert set(dataset.splits[Split.TRAIN].masks.ravel().tolist()) == {0, 1, 2, 3}
