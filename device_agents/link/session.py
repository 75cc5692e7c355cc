"""An adb-shell device that remembers what the phone said of itself, and speaks shell v2.

adb-shell 0.4.4 (its last release) has no public call for exit codes or for the banner: this file is the only one
that reaches into it.
"""

import re
import struct
from pathlib import Path
from typing import Any, Protocol

from adb_shell import constants, exceptions
from adb_shell.adb_device import AdbDevice, _AdbIOManager
from adb_shell.adb_message import AdbMessage, unpack
from adb_shell.auth.sign_cryptography import CryptographySigner

from device_agents.link import limits, shell
from device_agents.link.deadline import Deadline
from paretofarm.errors import ConfigError

# What adb-shell raises when a connection is no longer of use; KeyError, IndexError and ValueError come out of its
# parsers when a phone answers out of turn (a push to a full disk does).
LIBRARY_ERRORS = (
    exceptions.AdbConnectionError,
    exceptions.AdbTimeoutError,
    exceptions.DeviceAuthError,
    exceptions.InvalidChecksumError,
    exceptions.InvalidCommandError,
    exceptions.InvalidResponseError,
    exceptions.PushFailedError,
    exceptions.TcpTimeoutException,
    KeyError,
    IndexError,
    ValueError,
)
PushRefused = exceptions.PushFailedError
CommandRefused = exceptions.AdbCommandFailureException
AuthenticationFailed = exceptions.DeviceAuthError
# Longer than any call: the transport's deadline decides (adb-shell's default ends silent commands after 10 s).
NO_LIMIT_S = 1e6
LIFE_ID = 0xFFFFFFFF
"""Our end of the stream that is never opened (adb-shell counts its own from 1)."""
VERSION_WITHOUT_CHECKSUMS = 0x01000001
"""From this protocol version on (Android 9) checksums may be left out (AOSP `adb.h`)."""


class Transport(Protocol):
    """What carries the packets; besides this, one of adb-shell's transports.

    reached: whether there was anybody at the address when last a connection was tried.
    """

    deadline: Deadline
    reached: bool

    def abort(self) -> None:
        """Ends every wait at once, from any thread."""

    def has_something(self, within_s: float) -> bool:
        """Whether there is something to read at once, so many seconds from now at the latest."""


def load_signer(key_path: Path) -> CryptographySigner:
    """The key pair at key_path and key_path.pub. Raises `ConfigError` where they are not."""
    try:
        return CryptographySigner(str(key_path))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{key_path}: not a usable ADB key: {error}") from error


class _Messages(_AdbIOManager):
    """Keeps the banner, and how often the phone asked for a signature: twice means that it refused the first.

    asks_for_life: whether a silent phone is asked for a sign of life while an answer is waited for. It is asked for a
    service that no phone has, which adbd refuses by itself, without starting anything.

    Leaves out checksums as Google's adb does, wherever the phone does without: a sum over 30 MB in Python is a third
    of a second. What phones send is not checked: TCP and USB have checks of their own.
    """

    def __init__(self, transport: Transport, authorization_wait_s: float) -> None:
        super().__init__(transport)
        self.banner = b""
        self.challenges = 0
        self.asks_for_life = False
        self._authorization_wait_s = authorization_wait_s
        self._wants_checksums = True

    def _send(self, msg: AdbMessage, adb_info: Any) -> None:
        if msg.command == constants.ID_TO_WIRE[constants.CNXN]:
            msg.arg0 = VERSION_WITHOUT_CHECKSUMS
            self._wants_checksums = True
        checksum = msg.checksum if self._wants_checksums else 0
        header = struct.pack(
            constants.MESSAGE_FORMAT, msg.command, msg.arg0, msg.arg1, len(msg.data), checksum, msg.magic
        )
        self._transport.bulk_write(header, None)
        if msg.data:
            self._transport.bulk_write(msg.data, None)

    def _read_packet_from_device(self, adb_info: Any) -> tuple[bytes, int, int, bytes]:
        while True:
            if self.asks_for_life and not self._transport.has_something(limits.ASK_FOR_LIFE_S):
                self._send(AdbMessage(constants.OPEN, LIFE_ID, 0, shell.NO_SERVICE.encode() + b"\0"), adb_info)
            packet = self._read_packet(adb_info)
            if packet[2] != LIFE_ID:
                return packet

    def _read_packet(self, adb_info: Any) -> tuple[bytes, int, int, bytes]:
        header = self._read_bytes_from_device(constants.MESSAGE_SIZE, adb_info)
        number, arg0, arg1, size, _ = unpack(header)
        command = constants.WIRE_TO_ID.get(number)
        if not command:
            raise exceptions.InvalidCommandError(f"unknown command {number:#x}")
        if command == constants.CNXN:
            self._wants_checksums = arg0 < VERSION_WITHOUT_CHECKSUMS
        return command, arg0, arg1, self._read_bytes_from_device(size, adb_info)

    def _read_expected_packet_from_device(self, expected_cmds: list[bytes], adb_info: Any) -> Any:
        packet = super()._read_expected_packet_from_device(expected_cmds, adb_info)
        if packet[0] == constants.AUTH:
            self.challenges += 1
            if self.challenges > 1:
                self._transport.deadline.limit(self._authorization_wait_s)
        elif packet[0] == constants.CNXN:
            self.banner = packet[3]
        return packet


class Session(AdbDevice):
    """One connection to one phone. Not for several threads: the link holds the lock."""

    def __init__(self, transport: Transport, authorization_wait_s: float) -> None:
        super().__init__(transport)
        self._io_manager = _Messages(transport, authorization_wait_s)
        self.transport = transport

    def log_in(self, signer: CryptographySigner) -> None:
        """Connects and authenticates."""
        self._io_manager.challenges = 0
        self.connect([signer], transport_timeout_s=NO_LIMIT_S, auth_timeout_s=NO_LIMIT_S, read_timeout_s=NO_LIMIT_S)

    @property
    def refused(self) -> bool:
        """Whether the phone did not know our key when last it was asked."""
        return bool(self._io_manager.challenges > 1 and not self.available)

    @property
    def features(self) -> frozenset[str]:
        """What the phone's banner says that it can do."""
        match = re.search(rb"features=([^;\0]*)", self._io_manager.banner)
        return frozenset(match.group(1).decode("ascii", "replace").split(",")) if match else frozenset()

    def execute(self, command: str, output: shell.PacketReader) -> None:
        """Runs shell text and fills `output` as it arrives, so that what came before a failure is kept."""
        self._io_manager.asks_for_life = True
        try:
            self._execute(command, output)
        finally:
            self._io_manager.asks_for_life = False

    def _execute(self, command: str, output: shell.PacketReader) -> None:
        if "shell_v2" in self.features:
            for data in self._stream(b"shell,v2,raw", command):
                output.feed(data)
        else:
            for data in self._stream(b"shell", shell.with_exit_line(command)):
                output.stdout += data
            output.exit_code, rest = shell.split_exit_line(bytes(output.stdout))
            output.stdout[:] = rest

    def _filesync_flush(self, adb_info: Any, filesync_info: Any) -> None:
        """Sends what is buffered. A daemon that cannot keep a file says so at once, between our packets: adb-shell
        loses that answer and waits for another until its time is up.
        """
        data = filesync_info.send_buffer[: filesync_info.send_idx]
        self._io_manager.send(AdbMessage(constants.WRTE, adb_info.local_id, adb_info.remote_id, data), adb_info)
        command = constants.WRTE
        while command != constants.OKAY:
            command, answer = self._read_until([constants.OKAY, constants.WRTE], adb_info)
            filesync_info.recv_buffer += answer
        filesync_info.send_idx = 0
        reason = shell.refusal_reason(bytes(filesync_info.recv_buffer))
        if reason is not None:
            raise PushRefused(reason)

    def _stream(self, service: bytes, command: str) -> Any:
        encoded = command.encode("utf-8", "surrogateescape")
        return self._streaming_command(service, encoded, NO_LIMIT_S, NO_LIMIT_S, None)
