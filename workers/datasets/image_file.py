"""Files as a folder's listing shows them."""

import os
from dataclasses import dataclass
from pathlib import Path

from paretofarm.errors import DataError


@dataclass(frozen=True)
class ImageFile:
    """Size and modification time tell the cache when it has changed."""

    path: Path
    bytes: int
    modified_ns: int


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
