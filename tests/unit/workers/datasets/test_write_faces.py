"""Writing a folder of faces: the format, prefixes, resuming, and what it refuses."""

from pathlib import Path
from threading import Thread

import numpy as np
import psutil
import pytest
from PIL import Image

from paretofarm.dataset import FaceSynthetics
from paretofarm.errors import ConfigError, DataError, WorkerCrashed
from workers.datasets.dataset import Split
from workers.datasets.face_synthetics import list_face_synthetics
from workers.datasets.faces import write_faces


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def drawers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "workers.datasets.draw_faces" in child.cmdline()]


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


def test_any_number_of_processes_writes_the_same_bytes(tmp_path: Path) -> None:
    heard: list[int] = []
    write_faces(tmp_path / "one", 10, 32, 7, processes=1)
    write_faces(tmp_path / "three", 10, 32, 7, heard.append, processes=3)
    assert contents(tmp_path / "one") == contents(tmp_path / "three")
    assert heard == list(range(1, 11))


def test_processes_complete_what_is_missing(tmp_path: Path) -> None:
    write_faces(tmp_path, 8, 32, 7)
    before = contents(tmp_path)
    untouched = (tmp_path / "000000.png").stat().st_mtime_ns
    for name in ("000003.png", "000004_seg.png", "000007_ldmks.txt"):
        (tmp_path / name).unlink()
    heard: list[int] = []
    write_faces(tmp_path, 8, 32, 7, heard.append, processes=2)
    assert contents(tmp_path) == before
    assert heard == list(range(1, 9))
    assert (tmp_path / "000000.png").stat().st_mtime_ns == untouched


def test_a_process_that_cannot_write_is_reported_once_and_leaves_nothing_unfinished(tmp_path: Path) -> None:
    write_faces(tmp_path, 1, 32, 7)
    (tmp_path / "000004.png").mkdir()
    with pytest.raises(DataError, match=rf"^{tmp_path}: face 4 cannot be written: Is a directory$"):
        write_faces(tmp_path, 9, 32, 7, processes=2)
    assert list(tmp_path.glob(".*")) == []
    (tmp_path / "000004.png").rmdir()
    write_faces(tmp_path, 9, 32, 7, processes=2)
    write_faces(tmp_path / "whole", 9, 32, 7)
    assert contents(tmp_path / "whole") == contents(tmp_path)


def test_a_killed_process_is_reported_and_the_others_end(tmp_path: Path) -> None:
    killed = False

    def kill_one(done: int) -> None:
        nonlocal killed
        if not killed:
            drawers()[0].kill()
            killed = True

    with pytest.raises(WorkerCrashed, match="a process that draws faces was ended by SIGKILL"):
        write_faces(tmp_path, 2000, 32, 7, kill_one, processes=2)
    assert drawers() == []
    assert list(tmp_path.glob(".*")) == []


def test_an_interrupt_ends_the_processes(tmp_path: Path) -> None:
    def interrupt(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_faces(tmp_path, 2000, 32, 7, interrupt, processes=2)
    assert drawers() == []
    assert list(tmp_path.glob(".*")) == []


def test_a_second_writer_waits_for_the_first(tmp_path: Path) -> None:
    heard: list[tuple[str, int]] = []
    second = Thread(target=write_faces, args=(tmp_path, 6, 32, 7, lambda done: heard.append(("second", done))))

    def first(done: int) -> None:
        heard.append(("first", done))
        if done == 1:
            second.start()

    write_faces(tmp_path, 6, 32, 7, first)
    second.join(timeout=30)
    assert heard == [(name, done) for name in ("first", "second") for done in range(1, 7)]


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
