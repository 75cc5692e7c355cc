"""The artifact store's files in a local folder, or in one that several machines share (NFS)."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from uuid import uuid4

from db.stored_file import StoredFile

CHUNK_BYTES = 1 << 20


class ArtifactFolder:
    """Files by their SHA-256 below `root`. Errors: OSError."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256

    def uri(self, sha256: str) -> str:
        return f"file://{self.path(sha256)}"

    def size(self, sha256: str) -> int | None:
        """Bytes of the file, None where there is none."""
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def renew(self, sha256: str, size_bytes: int) -> bool:
        """Whether the content is there, whole; its age then counts from now, so that nobody removes it."""
        path = self.path(sha256)
        if not is_intact(path, sha256):
            return False
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
        except PermissionError:
            # Another user's file in a shared folder: replaced by our own, its age is new too.
            return False
        return True

    def write(self, content: IO[bytes], sha256: str, size_bytes: int) -> None:
        write_whole(content, self.path(sha256))

    def open(self, sha256: str) -> IO[bytes]:
        return self.path(sha256).open("rb")

    def files(self) -> Iterator[StoredFile]:
        """All, in no order."""
        for path in self.root.glob("??/*"):
            with suppress(FileNotFoundError):
                status = path.stat()
                yield StoredFile(path.name, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    def remove(self, sha256: str, stored_before: datetime) -> bool:
        """Removes the file unless it was stored, or stored again, since; whether it is gone by our hand.

        Under another name first: whoever renews it at this moment either finds it gone, and writes it again, or has
        renewed what we then put back.
        """
        path = self.path(sha256)
        aside = path.with_name(f".{uuid4().hex}.removed")
        try:
            path.rename(aside)
        except FileNotFoundError:
            return False
        if datetime.fromtimestamp(aside.stat().st_mtime, UTC) >= stored_before:
            aside.rename(path)
            return False
        aside.unlink()
        return True


def write_whole(content: IO[bytes], target: Path) -> None:
    """All or nothing, on disk before it has its name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{uuid4().hex}.partial")
    try:
        with partial.open("wb") as file:
            shutil.copyfileobj(content, file, CHUNK_BYTES)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


def is_intact(path: Path, sha256: str) -> bool:
    """Whether the file is there and has that content."""
    try:
        with path.open("rb") as file:
            return sha256_of(file) == sha256
    except FileNotFoundError:
        return False


def sha256_of(file: IO[bytes]) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
