"""A folder of backups: one folder for each, and the artifacts of all of them beside, each kept once."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cli.backup.manifest import MANIFEST, Manifest, read_manifest
from cli.file_errors import readable_errors
from cli.stack.state import FileLock
from db.artifact_folder import ArtifactFolder
from paretofarm.errors import BackupError

DUMP = "database.dump"
PARTIAL = ".partial-"


@dataclass(frozen=True)
class Backup:
    """One whole backup: `<root>/<name>/` with the dump and the manifest."""

    folder: Path
    manifest: Manifest
    artifacts: ArtifactFolder

    @property
    def dump(self) -> Path:
        return self.folder / DUMP


@dataclass(frozen=True)
class BackupFolder:
    """`<root>/artifacts/` and `<root>/<time>/`."""

    root: Path

    @property
    def artifacts(self) -> ArtifactFolder:
        return ArtifactFolder(self.root / "artifacts")

    def find(self, name: str | None = None) -> Backup:
        """The newest, or the one of that name. Errors: BackupError where there is none."""
        if name is None:
            name = max(self._names(), default=None)
        if name is None:
            raise BackupError(f"{self.root}: there is no backup in it")
        folder = self.root / name
        return Backup(folder, read_manifest(folder), self.artifacts)

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """A folder to make a backup in; nobody takes it for one. Errors: BackupError where somebody else writes."""
        with readable_errors(self.root, BackupError):
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(self.root / ".lock") as lock:
            if not lock.acquire():
                raise BackupError(f"{self.root}: another backup is being made here (process {lock.holder()})")
            with readable_errors(self.root, BackupError):
                for left in self.root.glob(f"{PARTIAL}*"):
                    shutil.rmtree(left)
                partial = self.root / f"{PARTIAL}{os.getpid()}"
                partial.mkdir(mode=0o700)
                yield partial
                shutil.rmtree(partial, ignore_errors=True)

    def finish(self, partial: Path, manifest: Manifest) -> Backup:
        """Makes a backup of what was written, in one step and on disk."""
        folder = self._free_name(manifest.created_at)
        _write_synced(partial / MANIFEST, manifest.model_dump_json(indent=1).encode())
        _sync(partial / DUMP)
        _sync(partial)
        partial.rename(folder)
        _sync(self.root)
        return Backup(folder, manifest, self.artifacts)

    def _names(self) -> list[str]:
        with readable_errors(self.root, BackupError):
            return [path.parent.name for path in self.root.glob(f"[0-9]*/{MANIFEST}")]

    def _free_name(self, at: datetime) -> Path:
        name, number = at.strftime("%Y%m%dT%H%M%SZ"), 1
        folder = self.root / name
        while folder.exists():
            number += 1
            folder = self.root / f"{name}-{number}"
        return folder


def _write_synced(file: Path, content: bytes) -> None:
    with file.open("wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
