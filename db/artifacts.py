"""The artifact store: files by content, in a local folder or any place that fsspec can reach.

A file's name is its SHA-256, so storing twice is storing once, and what is read is verified against its name.
"""

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import IO

import fsspec
from fsspec.implementations.local import LocalFileSystem

from db.artifact import StoredArtifact
from db.artifact_folder import ArtifactFolder, is_intact, sha256_of, write_whole
from db.artifact_remote import RENEW_AFTER, RemoteArtifacts, remote_errors, remote_options
from db.stored_file import StoredFile
from paretofarm.errors import ArtifactMissing, ArtifactStoreFull, ArtifactStoreUnavailable, ConfigError

__all__ = ["ArtifactStore", "StoredArtifact", "StoredFile"]

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
HEX = set("0123456789abcdef")


class ArtifactStore:
    """Keeps files by content. Safe to use from many processes and hosts at once.

    url: `file:///folder`, `s3://bucket/prefix`, … cache: where copies from a remote store are kept; needed for one.
    Errors: ArtifactStoreFull, ArtifactMissing (also where the content is damaged), ArtifactStoreUnavailable.
    """

    def __init__(self, url: str, cache: Path | None = None) -> None:
        try:
            protocol = fsspec.utils.get_protocol(url)
            files, root = fsspec.core.url_to_fs(url, **remote_options(protocol))
        except ImportError as error:
            remedy = ": pip install 'paretofarm[s3]'" if protocol in ("s3", "s3a") else ""
            raise ConfigError(f"PARETOFARM_ARTIFACTS = {url!r}: {error}{remedy}") from error
        except ValueError as error:
            raise ConfigError(f"PARETOFARM_ARTIFACTS = {url!r}: {error}") from error
        self._local = isinstance(files, LocalFileSystem)
        if not self._local and cache is None:
            raise ConfigError(
                f"PARETOFARM_ARTIFACTS = {url!r}: a store that is not a local folder needs a cache folder"
            )
        self._place: ArtifactFolder | RemoteArtifacts
        self._place = ArtifactFolder(Path(root)) if self._local else RemoteArtifacts(files, root)
        self._cache = None if cache is None else ArtifactFolder(cache)

    @property
    def root_uri(self) -> str:
        """What all uris begin with, for people."""
        return self._place.uri("0" * 64).removesuffix(f"{'0' * 2}/{'0' * 64}")

    @property
    def renewed_after(self) -> timedelta:
        """For how long content that is stored again keeps the age of the first time."""
        return timedelta(0) if self._local else RENEW_AFTER

    def put_file(self, path: Path, kind: str) -> StoredArtifact:
        """Stores a file's content. kind: what it is for."""
        with path.open("rb") as content:
            sha256 = sha256_of(content)
            content.seek(0)
            return self._put(content, sha256, path.stat().st_size, kind)

    def put_bytes(self, content: bytes, kind: str) -> StoredArtifact:
        return self._put(BytesIO(content), hashlib.sha256(content).hexdigest(), len(content), kind)

    def fetch(self, artifact: StoredArtifact | str) -> Path:
        """A local file with the content, given the artifact or its SHA-256; verified. Not to be changed or deleted."""
        sha256 = artifact if isinstance(artifact, str) else artifact.sha256
        if isinstance(self._place, ArtifactFolder):
            return self._verified(self._place.path(sha256), sha256)
        assert self._cache is not None
        cached = self._cache.path(sha256)
        # Whoever uses a copy renews it: the least recently used go first.
        if not self._cache.renew(sha256, 0):
            self._read(sha256, cached)
        return self._verified(cached, sha256)

    def copy(self, sha256: str, target: Path) -> None:
        """Writes the content to a file of the caller's, verified, past the cache."""
        self._read(sha256, target)
        if not is_intact(target, sha256):
            target.unlink(missing_ok=True)
            raise ArtifactMissing(f"artifact {sha256} is damaged ({self._place.uri(sha256)})")

    def size(self, sha256: str) -> int | None:
        """Bytes that the store has under that name, unread; None where there is nothing."""
        with _named("looking", self._place.uri(sha256)):
            return self._place.size(sha256)

    def files(self) -> Iterator[StoredFile]:
        """Everything in the store, in no order."""
        with _named("listing", self._place.uri("")):
            yield from (file for file in self._place.files() if _is_sha256(file.sha256))

    def remove(self, sha256: str, *, stored_before: datetime) -> bool:
        """Removes a file, unless it was stored (or stored again) at that moment or later. False: left, or not there."""
        with _named("removing", self._place.uri(sha256)):
            return self._place.remove(sha256, stored_before)

    def _put(self, content: IO[bytes], sha256: str, size_bytes: int, kind: str) -> StoredArtifact:
        uri = self._place.uri(sha256)
        with _named(f"storing {kind} ({size_bytes} bytes)", uri, missing=ArtifactStoreUnavailable):
            # A damaged local file counts as absent: storing it again repairs it.
            if not self._place.renew(sha256, size_bytes):
                self._place.write(content, sha256, size_bytes)
        return StoredArtifact(sha256, kind, size_bytes, uri)

    def _read(self, sha256: str, target: Path) -> None:
        with _named("reading", self._place.uri(sha256)), self._place.open(sha256) as content:
            write_whole(content, target)

    def _verified(self, path: Path, sha256: str) -> Path:
        if not path.exists():
            raise ArtifactMissing(f"artifact {sha256} is not in the store ({self._place.uri(sha256)})")
        if not is_intact(path, sha256):
            raise ArtifactMissing(f"artifact {sha256} is damaged ({path})")
        return path


def _is_sha256(name: str) -> bool:
    return len(name) == 64 and set(name) <= HEX


@contextmanager
def _named(
    action: str, place: str, *, missing: type[ArtifactMissing | ArtifactStoreUnavailable] = ArtifactMissing
) -> Iterator[None]:
    """Errors of file systems, local or remote, as ours. missing: what it means that something is not there."""
    try:
        yield
    except FileNotFoundError as error:
        raise missing(f"{action} at {place}: not there ({_reason(error)})") from error
    except remote_errors() as error:
        text = f"{action} at {place}: {_reason(error)}"
        if isinstance(error, OSError) and error.errno in FULL:
            raise ArtifactStoreFull(text) from error
        raise ArtifactStoreUnavailable(text) from error


def _reason(error: Exception) -> str:
    """In one line, without what libraries add for developers."""
    words = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return " ".join(words.split())
