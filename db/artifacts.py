"""The artifact store: files by content, in a local folder or any place that fsspec can reach.

A file's name is its SHA-256, so storing twice is storing once, and what is read is verified against its name.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import IO
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

from db.artifact import StoredArtifact
from paretofarm.errors import ArtifactMissing, ArtifactStoreFull, ArtifactStoreUnavailable, ConfigError

__all__ = ["ArtifactStore", "StoredArtifact"]

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
CHUNK_BYTES = 1 << 20


class ArtifactStore:
    """Keeps files by content. Safe to use from many processes and hosts at once.

    url: `file:///folder`, `s3://bucket/prefix`, … cache: where copies from a remote store are kept; needed for one.
    Errors: ArtifactStoreFull, ArtifactMissing (also where the content is damaged), ArtifactStoreUnavailable.
    """

    def __init__(self, url: str, cache: Path | None = None) -> None:
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise ConfigError(f"PARETOFARM_ARTIFACTS = {url!r}: {error}") from error
        self._local = isinstance(self._files, LocalFileSystem)
        if not self._local and cache is None:
            raise ConfigError(
                f"PARETOFARM_ARTIFACTS = {url!r}: a store that is not a local folder needs a cache folder"
            )
        self._cache = cache

    def put_file(self, path: Path, kind: str) -> StoredArtifact:
        """Stores a file's content. kind: what it is for."""
        with path.open("rb") as content:
            sha256 = _sha256(content)
            content.seek(0)
            return self._put(content, sha256, path.stat().st_size, kind)

    def put_bytes(self, content: bytes, kind: str) -> StoredArtifact:
        return self._put(BytesIO(content), hashlib.sha256(content).hexdigest(), len(content), kind)

    def fetch(self, artifact: StoredArtifact | str) -> Path:
        """A local file with the content, given the artifact or its SHA-256; verified. Not to be changed or deleted."""
        sha256 = artifact if isinstance(artifact, str) else artifact.sha256
        if self._local:
            return self._verified(Path(self._place(sha256)), sha256)
        assert self._cache is not None
        cached = self._cache / sha256[:2] / sha256
        if not _is_intact(cached, sha256):
            self._download(sha256, cached)
        return self._verified(cached, sha256)

    def _place(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}"

    def _put(self, content: IO[bytes], sha256: str, size_bytes: int, kind: str) -> StoredArtifact:
        place = self._place(sha256)
        with _named(f"storing {kind} ({size_bytes} bytes)", place):
            if not self._has(place, sha256, size_bytes):
                self._write(content, place)
        return StoredArtifact(sha256, kind, size_bytes, str(self._files.unstrip_protocol(place)))

    def _has(self, place: str, sha256: str, size_bytes: int) -> bool:
        """A damaged local file counts as absent: storing it again repairs it."""
        if self._local:
            return _is_intact(Path(place), sha256)
        return bool(self._files.exists(place)) and self._files.size(place) == size_bytes

    def _write(self, content: IO[bytes], place: str) -> None:
        if self._local:
            _write_local(content, Path(place))
            return
        # Object stores show a file when its upload is complete, not before.
        with self._files.open(place, "wb") as target:
            shutil.copyfileobj(content, target, CHUNK_BYTES)

    def _download(self, sha256: str, target: Path) -> None:
        place = self._place(sha256)
        with _named("reading", place), self._files.open(place, "rb") as content:
            _write_local(content, target)

    def _verified(self, path: Path, sha256: str) -> Path:
        if not path.exists():
            raise ArtifactMissing(f"artifact {sha256} is not in the store ({self._place(sha256)})")
        if not _is_intact(path, sha256):
            raise ArtifactMissing(f"artifact {sha256} is damaged ({path})")
        return path


def _write_local(content: IO[bytes], target: Path) -> None:
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


def _is_intact(path: Path, sha256: str) -> bool:
    try:
        with path.open("rb") as file:
            return _sha256(file) == sha256
    except FileNotFoundError:
        return False


def _sha256(file: IO[bytes]) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


@contextmanager
def _named(action: str, place: str) -> Iterator[None]:
    """Errors of file systems, local or remote, as ours."""
    try:
        yield
    except FileNotFoundError as error:
        raise ArtifactMissing(f"{action} at {place}: not there") from error
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in FULL:
            raise ArtifactStoreFull(f"{action} at {place}: {reason}") from error
        raise ArtifactStoreUnavailable(f"{action} at {place}: {reason}") from error
