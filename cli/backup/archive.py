"""A backup as one file, to be carried away."""

import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.backup.folder import Backup, BackupFolder
from paretofarm.errors import BackupError

SUFFIX = ".tar"


def is_archive(path: Path) -> bool:
    return path.suffix == SUFFIX


@contextmanager
def archive_folder(file: Path) -> Iterator[BackupFolder]:
    """A folder beside the file to make the backup in; it takes as much space again until the block ends."""
    if file.exists():
        raise BackupError(f"{file} exists: choose another name")
    with _beside(file) as folder:
        yield BackupFolder(folder / "backup")


def pack(backup: Backup, file: Path) -> None:
    """Writes the file in one step."""
    root = backup.folder.parent
    partial = root / "packed.partial"
    try:
        with tarfile.open(partial, "w") as archive:
            for part in (backup.artifacts.root, backup.folder):
                if part.exists():
                    archive.add(part, arcname=part.relative_to(root))
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(file)
    except OSError as error:
        raise BackupError(f"{file}: {error.strerror}") from error


@contextmanager
def unpacked(file: Path) -> Iterator[BackupFolder]:
    """The folder that was packed, for as long as the block lasts."""
    with _beside(file) as folder:
        try:
            with tarfile.open(file) as archive:
                archive.extractall(folder, filter="data")
        except (tarfile.TarError, OSError) as error:
            raise BackupError(f"{file}: {error}") from error
        yield BackupFolder(folder)


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{file.name}-", dir=file.absolute().parent))
    except OSError as error:
        raise BackupError(f"{file}: {error.strerror}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
