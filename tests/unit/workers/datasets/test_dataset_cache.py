"""The decoded cache: shared, built once, never trusted when unfinished."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from paretofarm.dataset import FaceSynthetics
from paretofarm.errors import DataError, Unavailable
from workers.datasets import Split, open_dataset

MakeFolder = Callable[..., Path]

# Opens the data set in a process of its own; prints "building" when it begins to decode and "done" when it has it.
OPENER = """
import sys
from pathlib import Path
from paretofarm.dataset import FaceSynthetics
from workers.datasets import open_dataset

def progress(done, total):
    if done == 1:
        print("building", flush=True)
        if sys.argv[3] == "stop":
            sys.stdin.read()

settings = FaceSynthetics(type="face_synthetics", path=Path(sys.argv[1]), size=16)
dataset = open_dataset(settings, Path(sys.argv[2]), progress)
print("done", sum(map(len, dataset.splits.values())), flush=True)
"""


def settings(path: Path, size: int = 16) -> FaceSynthetics:
    return FaceSynthetics(type="face_synthetics", path=path, size=size)


def start_opener(folder: Path, cache: Path, mode: str = "run") -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", OPENER, str(folder), str(cache), mode],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def cached(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")


def test_splits_are_mapped_arrays_of_the_asked_size(make_face_folder: MakeFolder, tmp_path: Path) -> None:
    dataset = open_dataset(settings(make_face_folder(60)), tmp_path / "cache")
    train = dataset.splits[Split.TRAIN]
    assert (dataset.name, len(dataset.class_names), dataset.ignore_index) == ("faces", 19, 255)
    assert isinstance(train.images, np.memmap) and not train.images.flags.writeable
    assert train.images.shape == (len(train), 16, 16, 3) and train.masks.shape == (len(train), 16, 16)
    assert train.images.dtype == train.masks.dtype == np.uint8
    assert sum(len(dataset.splits[split]) for split in Split) == 60


def test_images_and_masks_stay_with_their_names(make_face_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_face_folder(60, side=16)
    dataset = open_dataset(settings(folder), tmp_path / "cache")
    for split in Split:
        part = dataset.splits[split]
        for name, image, mask in zip(part.names, part.images, part.masks, strict=True):
            with Image.open(folder / f"{name}.png") as source, Image.open(folder / f"{name}_seg.png") as ids:
                assert np.array_equal(np.asarray(source), image)
                assert np.array_equal(np.asarray(ids), mask)


def test_the_second_open_decodes_nothing(make_face_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_face_folder(60)
    heard: list[tuple[int, int]] = []
    open_dataset(settings(folder), tmp_path / "cache", lambda *count: heard.append(count))
    assert heard == [(done, 60) for done in range(1, 61)]
    open_dataset(settings(folder), tmp_path / "cache", lambda *count: heard.append(count))
    assert len(heard) == 60


def test_a_changed_file_renews_the_cache_and_the_old_one_goes(make_face_folder: MakeFolder, tmp_path: Path) -> None:
    folder, cache = make_face_folder(60), tmp_path / "cache"
    old = open_dataset(settings(folder), cache).splits[Split.TRAIN]
    Image.new("RGB", (32, 32), (9, 9, 9)).save(folder / "000000.png")
    new = open_dataset(settings(folder), cache).splits[Split.TRAIN]
    assert (new.images[0] == 9).all() and not (old.images[0] == 9).all()
    assert len(cached(cache)) == 1


def test_sizes_have_caches_of_their_own(make_face_folder: MakeFolder, tmp_path: Path) -> None:
    folder, cache = make_face_folder(60), tmp_path / "cache"
    open_dataset(settings(folder, 16), cache)
    open_dataset(settings(folder, 32), cache)
    assert len(cached(cache)) == 2


def test_concurrent_processes_build_once(make_face_folder: MakeFolder, tmp_path: Path) -> None:
    folder, cache = make_face_folder(200), tmp_path / "cache"
    openers = [start_opener(folder, cache) for _ in range(4)]
    outputs = [opener.communicate(timeout=60)[0] for opener in openers]
    assert [opener.returncode for opener in openers] == [0] * 4
    assert all(output.endswith("done 200\n") for output in outputs)
    assert sum("building" in output for output in outputs) == 1


def test_a_killed_build_is_not_trusted_and_its_waiter_takes_over(make_face_folder: MakeFolder, tmp_path: Path) -> None:
    folder, cache = make_face_folder(60), tmp_path / "cache"
    victim = start_opener(folder, cache, "stop")
    assert victim.stdout is not None and victim.stdout.readline() == "building\n"
    waiter = start_opener(folder, cache)
    os.kill(victim.pid, signal.SIGKILL)
    victim.communicate(timeout=60)
    assert waiter.communicate(timeout=60)[0] == "building\ndone 60\n"
    assert [name for name in cached(cache) if "building" in name] == []


def test_a_corrupt_image_is_named_and_leaves_no_cache(make_face_folder: MakeFolder, tmp_path: Path) -> None:
    folder, cache = make_face_folder(60), tmp_path / "cache"
    whole = (folder / "000031.png").read_bytes()
    (folder / "000031.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"000031\.png: cannot be decoded"):
        open_dataset(settings(folder), cache)
    assert cached(cache) == []
    (folder / "000031.png").write_bytes(whole)
    assert len(open_dataset(settings(folder), cache).splits[Split.TEST]) == 6


@pytest.mark.parametrize("damaged", ["train_images.npy", "test_masks.npy", "dataset.json"])
def test_a_damaged_cache_is_built_again(make_face_folder: MakeFolder, tmp_path: Path, damaged: str) -> None:
    folder, cache = make_face_folder(60), tmp_path / "cache"
    before = open_dataset(settings(folder), cache).splits[Split.TRAIN].images.copy()
    path = cache / cached(cache)[0] / damaged
    path.write_bytes(path.read_bytes()[:100])
    assert np.array_equal(open_dataset(settings(folder), cache).splits[Split.TRAIN].images, before)


def test_an_unusable_cache_folder_is_unavailable(make_face_folder: MakeFolder, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(Unavailable, match="cannot write the data set cache"):
        open_dataset(settings(make_face_folder(60)), tmp_path / "cache")


def test_a_disk_that_fills_up_is_unavailable_and_leaves_nothing(make_face_folder: MakeFolder, tmp_path: Path) -> None:
    """A limit on file sizes stands for the full disk: both are an OSError of a plain write."""
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n" + OPENER
    arguments = [str(make_face_folder(60)), str(tmp_path / "cache"), "run"]
    result = subprocess.run([sys.executable, "-c", limited, *arguments], capture_output=True, text=True, timeout=60)
    assert "Unavailable: " in result.stderr.splitlines()[-1] and "File too large" in result.stderr
    assert cached(tmp_path / "cache") == []
