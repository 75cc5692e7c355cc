"""ADB's packets on the wire (AOSP `protocol.txt`)."""

import socket
import struct
from dataclasses import dataclass
from enum import IntEnum

HEADER = struct.Struct("<6I")
MAX_PAYLOAD = 1024 * 1024
# From this version on, payloads carry no checksum.
VERSION_WITH_CHECKSUM = 0x01000000
VERSION = 0x01000001


class Command(IntEnum):
    CNXN = 0x4E584E43
    AUTH = 0x48545541
    OPEN = 0x4E45504F
    OKAY = 0x59414B4F
    WRTE = 0x45545257
    CLSE = 0x45534C43


class AuthKind(IntEnum):
    TOKEN = 1
    SIGNATURE = 2
    PUBLIC_KEY = 3


class ProtocolError(Exception):
    """The client broke the protocol; its connection is dropped."""


@dataclass(frozen=True)
class Packet:
    command: Command
    arg0: int
    arg1: int
    payload: bytes = b""

    def pack(self, *, with_checksum: bool) -> bytes:
        checksum = sum(self.payload) & 0xFFFFFFFF if with_checksum else 0
        header = HEADER.pack(self.command, self.arg0, self.arg1, len(self.payload), checksum, self.command ^ 0xFFFFFFFF)
        return header + self.payload


def read_packet(connection: socket.socket, *, verify_checksum: bool) -> Packet:
    """The next packet. Raises `ProtocolError`, and `ConnectionError` where the client has gone."""
    number, arg0, arg1, size, checksum, magic = HEADER.unpack(read_exactly(connection, HEADER.size))
    if number ^ 0xFFFFFFFF != magic or size > MAX_PAYLOAD:
        raise ProtocolError("not an ADB packet")
    try:
        command = Command(number)
    except ValueError as error:
        raise ProtocolError(f"unknown command {number:#x}") from error
    payload = read_exactly(connection, size)
    if verify_checksum and sum(payload) & 0xFFFFFFFF != checksum:
        raise ProtocolError("wrong checksum")
    return Packet(command, arg0, arg1, payload)


def read_exactly(connection: socket.socket, size: int) -> bytes:
    buffer = bytearray(size)
    view = memoryview(buffer)
    while view:
        count = connection.recv_into(view)
        if count == 0:
            raise ConnectionResetError("the client closed the connection")
        view = view[count:]
    return bytes(buffer)
