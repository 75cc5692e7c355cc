"""The artifact store's files in any other place that fsspec can reach: S3, SFTP, memory."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import IO, Any
from uuid import uuid4

from fsspec import AbstractFileSystem

from db.stored_file import StoredFile

RENEW_AFTER = timedelta(hours=1)
"""Content that is stored again after so long is sent again: a remote file's age cannot be changed otherwise."""
OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"}
"""An object appears when its upload is complete; in other places a file grows under its name."""
S3_OPTIONS: dict[str, Any] = {
    # Other processes change the bucket: what a listing once said is no answer.
    "use_listings_cache": False,
    "config_kwargs": {
        "connect_timeout": 5,
        "read_timeout": 60,
        "retries": {"max_attempts": 4, "mode": "standard"},
    },
}
"""Endpoint, region and keys come from where all S3 programs take them: AWS_ENDPOINT_URL, AWS_DEFAULT_REGION, …"""
_TIMES = ("LastModified", "mtime", "last_modified", "updated", "modified", "created")


def remote_options(protocol: str) -> dict[str, Any]:
    """What a file system is opened with."""
    return dict(S3_OPTIONS) if protocol in ("s3", "s3a") else {}


def remote_errors() -> tuple[type[Exception], ...]:
    """What remote file systems raise. Clients that are not loaded cannot have raised anything."""
    clients = (("botocore.exceptions", ("BotoCoreError", "ClientError")), ("aiohttp", ("ClientError",)))
    found = [getattr(sys.modules[module], name) for module, names in clients if module in sys.modules for name in names]
    return (OSError, *found)


class RemoteArtifacts:
    """Files by their SHA-256 below `root`. Errors: `remote_errors()`."""

    def __init__(self, files: AbstractFileSystem, root: str) -> None:
        self._files = files
        self._root = root
        protocols = {files.protocol} if isinstance(files.protocol, str) else set(files.protocol)
        self._appears_whole = bool(protocols & OBJECT_STORES)

    def place(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}"

    def uri(self, sha256: str) -> str:
        return str(self._files.unstrip_protocol(self.place(sha256)))

    def size(self, sha256: str) -> int | None:
        """Bytes of the file, None where there is none."""
        found = self._look(self.place(sha256))
        return None if found is None else found.size_bytes

    def renew(self, sha256: str, size_bytes: int) -> bool:
        """Whether the content is there, whole and too young to be removed. Otherwise it is to be written again."""
        found = self._look(self.place(sha256))
        if found is None or found.size_bytes != size_bytes:
            return False
        return found.modified_at is None or found.modified_at > datetime.now(UTC) - RENEW_AFTER

    def write(self, content: IO[bytes], sha256: str, size_bytes: int) -> None:
        """All or nothing. Errors: OSError too where less has arrived than was sent."""
        place = self.place(sha256)
        if self._appears_whole:
            self._upload(content, place)
        else:
            self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
            partial = f"{place}.{uuid4().hex}.partial"
            self._upload(content, partial)
            self._files.mv(partial, place)
        arrived = self.size(sha256)
        if arrived != size_bytes:
            raise OSError(f"sent {size_bytes} bytes, {arrived} have arrived")

    def open(self, sha256: str) -> IO[bytes]:
        opened: IO[bytes] = self._files.open(self.place(sha256), "rb")
        return opened

    def files(self) -> Iterator[StoredFile]:
        """All, in no order."""
        for name, info in self._files.find(self._root, detail=True).items():
            yield _stored(name.rpartition("/")[2], info)

    def remove(self, sha256: str, stored_before: datetime) -> bool:
        """Removes the file unless it was stored, or stored again, since; whether it is gone by our hand."""
        place = self.place(sha256)
        found = self._look(place)
        if found is None or found.modified_at is None or found.modified_at >= stored_before:
            return False
        with suppress(FileNotFoundError):
            self._files.rm_file(place)
            return True
        return False

    def _look(self, place: str) -> StoredFile | None:
        try:
            return _stored(place.rpartition("/")[2], self._files.info(place))
        except FileNotFoundError:
            return None

    def _upload(self, content: IO[bytes], place: str) -> None:
        """By the calls that take a whole file: closing a half-written fsspec file makes a whole one of it."""
        if isinstance(content, BytesIO):
            self._files.pipe_file(place, content.getvalue())
        else:
            self._files.put_file(content.name, place)


def _stored(name: str, info: dict[str, Any]) -> StoredFile:
    return StoredFile(name, int(info["size"]), _moment(next((info[key] for key in _TIMES if info.get(key)), None)))


def _moment(value: object) -> datetime | None:
    """File systems say times as they like."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return None
