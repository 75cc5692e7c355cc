"""The service `sync:`: stat, list, push and pull (AOSP `SYNC.TXT` and `file_sync_protocol.h`).

Version 2 requests are answered without compression: the banner promises none.
"""

import errno
import os
import stat
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from device_agents.virtual_phone.paths import host_path
from device_agents.virtual_phone.state import free_bytes
from device_agents.virtual_phone.stream import Stream

REQUEST = struct.Struct("<4sI")
STAT_V1 = struct.Struct("<4sIII")  # id, mode, size, mtime
STAT_V2 = struct.Struct("<4sIQQIIIIQqqq")  # id, error, dev, ino, mode, nlink, uid, gid, size, atime, mtime, ctime
DENT_V1 = struct.Struct("<4sIIII")  # id, mode, size, mtime, name length
DENT_V2 = struct.Struct("<4sIQQIIIIQqqqI")
SEND_V2 = struct.Struct("<4sII")  # id, mode, flags
RECV_V2 = struct.Struct("<4sI")  # id, flags
DATA_MAX = 64 * 1024


class SyncRefused(Exception):
    """The request cannot be fulfilled; the text is for the client."""


@dataclass(frozen=True)
class SyncService:
    """Serves one `sync:` stream over the files below the root folder."""

    root: Path

    def run(self, stream: Stream) -> None:
        answers: dict[bytes, Callable[[Stream, str], None]] = {
            b"STAT": self._stat,
            b"STA2": self._stat_follow_v2,
            b"LST2": self._stat_v2,
            b"LIST": self._list,
            b"LIS2": self._list_v2,
            b"SEND": self._send,
            b"SND2": self._send_v2,
            b"RECV": self._receive,
            b"RCV2": self._receive_v2,
        }
        while True:
            kind, size = REQUEST.unpack(stream.read(REQUEST.size))
            path = stream.read(size).decode("utf-8", "surrogateescape") if kind != b"QUIT" else ""
            if kind not in answers:
                return  # QUIT, or something that we do not know
            try:
                answers[kind](stream, path)
            except (SyncRefused, OSError) as error:
                _fail(stream, error)

    def _stat(self, stream: Stream, path: str) -> None:
        try:
            found = os.lstat(self._host(path))
        except OSError:
            stream.write(STAT_V1.pack(b"STAT", 0, 0, 0))
            return
        stream.write(STAT_V1.pack(b"STAT", found.st_mode, min(found.st_size, 0xFFFFFFFF), int(found.st_mtime)))

    def _stat_v2(self, stream: Stream, path: str) -> None:
        stream.write(_packed_stat(b"LST2", self._host(path), os.lstat))

    def _stat_follow_v2(self, stream: Stream, path: str) -> None:
        stream.write(_packed_stat(b"STA2", self._host(path), os.stat))

    def _list(self, stream: Stream, path: str) -> None:
        for name in self._names(path):
            found = os.lstat(self._host(path) / name)
            encoded = os.fsencode(name)
            size, mtime = min(found.st_size, 0xFFFFFFFF), int(found.st_mtime)
            stream.write(DENT_V1.pack(b"DENT", found.st_mode, size, mtime, len(encoded)) + encoded)
        stream.write(DENT_V1.pack(b"DONE", 0, 0, 0, 0))

    def _list_v2(self, stream: Stream, path: str) -> None:
        for name in self._names(path):
            encoded = os.fsencode(name)
            packed = _packed_stat(b"DNT2", self._host(path) / name, os.lstat)
            stream.write(packed + struct.pack("<I", len(encoded)) + encoded)
        stream.write(DENT_V2.pack(b"DONE", *[0] * 12))

    def _send(self, stream: Stream, path_and_mode: str) -> None:
        path, _, mode = path_and_mode.rpartition(",")
        if not mode.isdigit():
            _drain(stream)
            raise SyncRefused("SEND without a mode")
        self._store(stream, path, int(mode))

    def _send_v2(self, stream: Stream, path: str) -> None:
        _, mode, flags = SEND_V2.unpack(stream.read(SEND_V2.size))
        if flags:
            _drain(stream)
            raise SyncRefused(f"unsupported flags {flags:#x}")
        self._store(stream, path, mode)

    def _store(self, stream: Stream, path: str, mode: int) -> None:
        """Receives a file whole even where it cannot be kept: then every client understands the answer."""
        upload = _Upload(self._host(path), mode, free_bytes(self.root))
        upload.attempt(upload.open)
        while True:
            kind, size = REQUEST.unpack(stream.read(REQUEST.size))
            if kind == b"DONE":
                upload.finish(mtime=size)
                stream.write(REQUEST.pack(b"OKAY", 0))
                return
            if kind != b"DATA" or size > DATA_MAX:
                raise SyncRefused("expected DATA or DONE")
            upload.attempt(partial(upload.write, stream.read(size)))

    def _receive_v2(self, stream: Stream, path: str) -> None:
        _, flags = RECV_V2.unpack(stream.read(RECV_V2.size))
        if flags:
            raise SyncRefused(f"unsupported flags {flags:#x}")
        self._receive(stream, path)

    def _receive(self, stream: Stream, path: str) -> None:
        with self._host(path).open("rb") as source:
            while data := source.read(DATA_MAX):
                stream.write(REQUEST.pack(b"DATA", len(data)) + data)
        stream.write(REQUEST.pack(b"DONE", 0))

    def _names(self, path: str) -> list[str]:
        try:
            return [".", "..", *os.listdir(self._host(path))]
        except OSError:  # a daemon lists nothing where there is nothing
            return []

    def _host(self, path: str) -> Path:
        return host_path(self.root, path)


class _Upload:
    """A file on its way in. The first failure is kept until the client has sent everything."""

    def __init__(self, path: Path, mode: int, space: int) -> None:
        self._path = path
        self._mode = mode
        self._space = space
        self._descriptor = -1
        self._link_target = b""
        self._failure: OSError | None = None

    def attempt(self, step: Callable[[], None]) -> None:
        if self._failure is None:
            try:
                step()
            except OSError as error:
                self._failure = error

    def open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISLNK(self._mode):
            return
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def write(self, data: bytes) -> None:
        if stat.S_ISLNK(self._mode):
            self._link_target += data
            return
        self._space -= len(data)
        if self._space < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def finish(self, *, mtime: int) -> None:
        """Closes the file; raises the first failure, after removing what arrived."""
        self.attempt(lambda: self._complete(mtime))
        if self._descriptor >= 0:
            os.close(self._descriptor)
        if self._failure is not None:
            if self._descriptor >= 0:
                self._path.unlink(missing_ok=True)
            raise self._failure

    def _complete(self, mtime: int) -> None:
        if stat.S_ISLNK(self._mode):
            self._path.unlink(missing_ok=True)
            self._path.symlink_to(os.fsdecode(self._link_target.rstrip(b"\0")))
            return
        os.fchmod(self._descriptor, stat.S_IMODE(self._mode) | 0o600)
        os.utime(self._descriptor, (mtime, mtime))


def _packed_stat(kind: bytes, path: Path, look: Callable[[Path], os.stat_result]) -> bytes:
    try:
        found = look(path)
    except OSError as error:
        return STAT_V2.pack(kind, error.errno or errno.EIO, *[0] * 10)
    return STAT_V2.pack(
        kind,
        0,
        found.st_dev,
        found.st_ino,
        found.st_mode,
        found.st_nlink,
        found.st_uid,
        found.st_gid,
        found.st_size,
        int(found.st_atime),
        int(found.st_mtime),
        int(found.st_ctime),
    )


def _drain(stream: Stream) -> None:
    while True:
        kind, size = REQUEST.unpack(stream.read(REQUEST.size))
        if kind != b"DATA":
            return
        stream.read(size)


def _fail(stream: Stream, error: SyncRefused | OSError) -> None:
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    encoded = text.encode()
    stream.write(REQUEST.pack(b"FAIL", len(encoded)) + encoded)
