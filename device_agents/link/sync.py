"""ADB's file transfer (AOSP `SYNC.TXT`, version 1), as bytes. Pure."""

import struct

HEADER = struct.Struct("<4sI")
STAT_ANSWER = struct.Struct("<4sIII")
CHUNK_BYTES = 64 * 1024
"""The most that a phone takes at once."""


def request(command: bytes, path: str) -> bytes:
    """`STAT`, `RECV` or `SEND` with a path."""
    encoded = path.encode("utf-8", "surrogateescape")
    return HEADER.pack(command, len(encoded)) + encoded


def send_request(path: str, mode: int) -> bytes:
    return request(b"SEND", f"{path},{mode}")


def chunk(content: bytes) -> bytes:
    return HEADER.pack(b"DATA", len(content)) + content


def done(modified: int) -> bytes:
    """The end of a file, with its time of modification in seconds since 1970."""
    return HEADER.pack(b"DONE", modified)
