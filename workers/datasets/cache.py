"""Data sets decoded once per host, into memory-mapped files that all jobs share.

A cache folder `KIND-SIZE-IDENTITY-STATE` is complete or absent: it is built under a lock in a `.building` folder and
renamed. IDENTITY stands for the settings, STATE for the files that were read: when one changes, the cache is rebuilt
and the outdated one removed (jobs that still map it keep their pages).
"""

import fcntl
import hashlib
import itertools
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from paretofarm.dataset import DatasetSettings
from paretofarm.errors import Unavailable
from paretofarm.task import Task
from workers.datasets.array_file import ArrayFile
from workers.datasets.dataset import Dataset, ImageMaskArrays, Split
from workers.datasets.decoding import decode
from workers.datasets.listing import Listing
from workers.datasets.parallel import map_in_order
from workers.datasets.registry import list_images

FORMAT = 1
MANIFEST = "dataset.json"

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


def open_dataset(settings: DatasetSettings, cache_root: Path, progress: Progress | None = None) -> Dataset:
    """The data set, decoded and mapped; the first caller decodes, others wait for it.

    `progress(done, total)` counts images while decoding. Errors: `DataError` (missing folder, missing or damaged file),
    `Unavailable` (the cache cannot be written). Either leaves nothing behind that a later call would trust.
    """
    listing = list_images(settings)
    place = _Place.of(listing, settings, cache_root)
    try:
        return _load(place.folder) or _build_once(listing, settings, place, progress)
    except OSError as error:
        raise Unavailable(f"{cache_root}: cannot write the data set cache: {error.strerror or error}") from error


@dataclass(frozen=True)
class _Place:
    """Where a data set's cache lies; `identity` is the part of the name that outlives changes of its files."""

    root: Path
    identity: str
    state: str

    @classmethod
    def of(cls, listing: Listing, settings: DatasetSettings, root: Path) -> "_Place":
        identity = _digest([FORMAT, str(settings.path.resolve()), settings.limit])
        files = [
            [split, member.name, file.bytes, file.modified_ns]
            for split in Split
            for member in listing.splits[split]
            for file in member.files
        ]
        return cls(root, f"{settings.type}-{settings.size}-{identity}", _digest([listing.class_names, files]))

    @property
    def folder(self) -> Path:
        return self.root / f"{self.identity}-{self.state}"

    @property
    def building(self) -> Path:
        return self.root / f"{self.identity}.building"

    @property
    def lock(self) -> Path:
        return self.root / f"{self.identity}.lock"

    def outdated(self) -> list[Path]:
        return [folder for folder in self.root.glob(f"{self.identity}-*") if folder != self.folder]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def _load(folder: Path) -> Dataset | None:
    """The cached data set, None where it is absent or damaged (it will then be built again)."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        splits = {split: _map_split(folder, split, tuple(manifest["names"][split])) for split in Split}
        return Dataset(
            manifest["name"], tuple(manifest["class_names"]), splits, Task(manifest.get("task", Task.SEGMENTATION))
        )
    except FileNotFoundError:
        return None
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        log.warning("data set cache %s is damaged (%s) and will be built again", folder, error)
        return None


def _map_split(folder: Path, split: Split, names: tuple[str, ...]) -> ImageMaskArrays:
    images, masks = (
        np.load(folder / f"{split}_{part}.npy", mmap_mode="r", allow_pickle=False) for part in ("images", "masks")
    )
    if not len(images) == len(masks) == len(names):
        raise ValueError(f"{split}: {len(images)} images, {len(masks)} masks, {len(names)} names")
    return ImageMaskArrays(images, masks, names)


def _build_once(listing: Listing, settings: DatasetSettings, place: _Place, progress: Progress | None) -> Dataset:
    place.root.mkdir(parents=True, exist_ok=True)
    with _locked(place.lock):
        if dataset := _load(place.folder):
            return dataset
        # Left by a build that was killed: its owner's lock is gone, so nobody writes there any more.
        shutil.rmtree(place.building, ignore_errors=True)
        try:
            _build(listing, settings.size, place.building, progress)
            _publish(place)
        finally:
            shutil.rmtree(place.building, ignore_errors=True)
        dataset = _load(place.folder)
        if dataset is None:
            raise OSError(f"{place.folder} vanished or cannot be read back")
        return dataset


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(listing: Listing, size: int, folder: Path, progress: Progress | None) -> None:
    folder.mkdir()
    total = sum(len(members) for members in listing.splits.values())
    log.info("decoding %d images of %s at %dx%d into %s", total, listing.folder, size, size, folder.parent)
    done = itertools.count(1)
    for split in Split:
        for _ in _decode_split(listing, split, size, folder):
            if progress is not None:
                progress(next(done), total)
    manifest = {
        "name": listing.folder.name,
        "class_names": listing.class_names,
        "task": listing.task,
        "names": {split: [member.name for member in listing.splits[split]] for split in Split},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def _decode_split(listing: Listing, split: Split, size: int, folder: Path) -> Iterator[None]:
    """Writes the split's two files, yielding once an image."""
    members = listing.splits[split]
    with (
        ArrayFile(folder / f"{split}_images.npy", (len(members), size, size, 3)) as images,
        ArrayFile(folder / f"{split}_masks.npy", (len(members), *listing.task.label_shape(size, size))) as masks,
    ):
        for image, mask in map_in_order(partial(decode, size=size, classes=len(listing.class_names)), members):
            images.append(image)
            masks.append(mask)
            yield


def _publish(place: _Place) -> None:
    if place.folder.exists():
        # `_load` has found it damaged.
        shutil.rmtree(place.folder)
    os.rename(place.building, place.folder)
    for outdated in place.outdated():
        shutil.rmtree(outdated, ignore_errors=True)
