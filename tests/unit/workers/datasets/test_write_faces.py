"""Writing a folder of faces: the format, prefixes, resuming, and what it refuses."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from paretofarm.dataset import FaceSynthetics
from paretofarm.errors import ConfigError, DataError
from workers.datasets.dataset import Split
from workers.datasets.face_synthetics import list_face_synthetics
from workers.datasets.faces import write_faces


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_folder_looks_like_face_synthetics(tmp_path: Path) -> None:
    write_faces(tmp_path, 3, 64, 7)
    names = {f"00000{index}{suffix}" for index in range(3) for suffix in (".png", "_seg.png", "_ldmks.txt")}
    assert {path.name for path in tmp_path.iterdir()} == names | {"faces.json"}
    with Image.open(tmp_path / "000002.png") as picture, Image.open(tmp_path / "000002_seg.png") as labels:
        assert (picture.mode, picture.size) == ("RGB", (64, 64))
        assert (labels.mode, labels.size) == ("L", (64, 64))
    landmarks = np.loadtxt(tmp_path / "000002_ldmks.txt")
    assert landmarks.shape == (70, 2)


def test_same_seed_writes_the_same_bytes_and_a_smaller_set_is_a_prefix(tmp_path: Path) -> None:
    write_faces(tmp_path / "five", 5, 32, 7)
    write_faces(tmp_path / "three", 3, 32, 7)
    five, three = contents(tmp_path / "five"), contents(tmp_path / "three")
    assert three.items() <= five.items()


def test_another_seed_draws_other_faces(tmp_path: Path) -> None:
    write_faces(tmp_path / "a", 2, 32, 7)
    write_faces(tmp_path / "b", 2, 32, 8)
    assert contents(tmp_path / "a")["000000.png"] != contents(tmp_path / "b")["000000.png"]


def test_an_interrupted_folder_is_completed_and_the_rest_left_alone(tmp_path: Path) -> None:
    write_faces(tmp_path, 4, 32, 7)
    before = contents(tmp_path)
    untouched = (tmp_path / "000000.png").stat().st_mtime_ns
    (tmp_path / "000001.png").write_bytes(before["000001.png"][:200])
    (tmp_path / "000002_seg.png").unlink()
    (tmp_path / "000003_ldmks.txt").write_text("1 2\n")
    write_faces(tmp_path, 4, 32, 7)
    assert contents(tmp_path) == before
    assert (tmp_path / "000000.png").stat().st_mtime_ns == untouched


def test_progress_counts_up_to_the_end(tmp_path: Path) -> None:
    heard: list[int] = []
    write_faces(tmp_path, 3, 32, 7, heard.append)
    assert heard == [1, 2, 3]


def test_another_set_is_refused(tmp_path: Path) -> None:
    write_faces(tmp_path, 1, 32, 7)
    with pytest.raises(DataError, match=r"another set of faces \(seed 7, size 32\)"):
        write_faces(tmp_path, 1, 64, 8)


def test_a_folder_with_foreign_images_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "000000.png")
    with pytest.raises(DataError, match="did not write"):
        write_faces(tmp_path, 1, 32, 7)


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "faces.json").write_text("{")
    with pytest.raises(DataError, match=r"faces\.json: not JSON"):
        write_faces(tmp_path, 1, 32, 7)


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_faces(tmp_path / "file" / "faces", 1, 32, 7)


@pytest.mark.parametrize(
    ("count", "size", "seed", "wrong"),
    [(0, 64, 7, "count"), (1, 15, 7, "size"), (1, 33, 7, "size"), (1, 64, -1, "seed")],
)
def test_impossible_numbers_are_refused(tmp_path: Path, count: int, size: int, seed: int, wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong):
        write_faces(tmp_path, count, size, seed)


def test_the_reader_takes_the_folder(tmp_path: Path) -> None:
    write_faces(tmp_path, 60, 16, 7)
    listing = list_face_synthetics(FaceSynthetics(type="face_synthetics", path=tmp_path, size=16))
    assert sum(len(listing.splits[split]) for split in Split) == 60
