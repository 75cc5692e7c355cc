"""What a data set folder holds, before a pixel is decoded."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from paretofarm.errors import DataError
from workers.datasets.dataset import Split


@dataclass(frozen=True)
class ImageFile:
    """A file as the folder's listing shows it; size and modification time tell the cache when it has changed."""

    path: Path
    bytes: int
    modified_ns: int


@dataclass(frozen=True)
class LabelledImage:
    """An image and the mask of its class ids, under the name by which the data set knows the pair."""

    name: str
    image: ImageFile
    mask: ImageFile


@dataclass(frozen=True)
class Listing:
    """A data set's classes and the members of its splits, in the order in which they will be stored."""

    kind: str
    folder: Path
    class_names: tuple[str, ...]
    splits: Mapping[Split, tuple[LabelledImage, ...]]

    def __post_init__(self) -> None:
        for split in Split:
            if not self.splits[split]:
                raise DataError(
                    f"{self.folder}: the {split} split is empty: too few images in the data set (or `limit` is too low)"
                )


def scan(folder: Path) -> dict[str, ImageFile]:
    """Regular files directly in `folder` by name, hidden ones left out. `DataError` where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return {
                entry.name: ImageFile(folder / entry.name, entry.stat().st_size, entry.stat().st_mtime_ns)
                for entry in entries
                if not entry.name.startswith(".") and entry.is_file()
            }
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror}") from error
