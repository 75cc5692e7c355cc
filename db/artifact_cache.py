"""Keeps a machine's copies of remote artifacts within a size: the least recently used go first."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from db.artifact_folder import ArtifactFolder
from db.stored_file import StoredFile
from paretofarm.errors import ArtifactStoreUnavailable

IN_USE = timedelta(hours=1)
"""A copy that was used so lately may be read at this moment."""


def surplus(cache: Path, limit_bytes: int) -> list[StoredFile]:
    """Copies that must go so that the rest fits. Data sets that the folder keeps too are left alone."""
    copies = sorted(_copies(cache), key=_last_use)
    excess = sum(copy.size_bytes for copy in copies) - limit_bytes
    found: list[StoredFile] = []
    for copy in copies:
        if excess <= 0 or _last_use(copy) >= datetime.now(UTC) - IN_USE:
            break
        found.append(copy)
        excess -= copy.size_bytes
    return found


def shrink(cache: Path, limit_bytes: int) -> list[StoredFile]:
    """Removes the surplus; what was removed."""
    folder = ArtifactFolder(cache)
    before = datetime.now(UTC) - IN_USE
    try:
        return [copy for copy in surplus(cache, limit_bytes) if folder.remove(copy.sha256, before)]
    except OSError as error:
        raise ArtifactStoreUnavailable(f"{error.filename or cache}: {error.strerror}") from error


def _copies(cache: Path) -> Iterator[StoredFile]:
    return (file for file in ArtifactFolder(cache).files() if len(file.sha256) == 64)


def _last_use(copy: StoredFile) -> datetime:
    assert copy.modified_at is not None
    return copy.modified_at
