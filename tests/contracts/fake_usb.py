"""USB without USB: devices as libusb described them, and pipes that end in phones on TCP."""

import select
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from device_agents.link.address import PortPath
from device_agents.link.usb_bus import AdbInterface, UsbDevice, UsbEndpoint, UsbSetting

PACKET_BYTES = 512
HEADER = struct.Struct("<6I")
KEYBOARD = UsbDevice(
    PortPath(1, (2,)), 0x046D, 0xC31C, None, (UsbSetting(0, (3, 1, 1), (UsbEndpoint(0x81, 0x03, 8),)),)
)
HANDSET = UsbDevice(
    place=PortPath(1, (4, 2)),
    vendor=0x18D1,
    product=0x4EE7,
    serial="8A2X0MXYZ",
    settings=(
        # File transfer (MTP) comes first, as on a handset that has it on.
        UsbSetting(
            0,
            (0xFF, 0xFF, 0x00),
            (UsbEndpoint(0x81, 0x02, 512), UsbEndpoint(0x01, 0x02, 512), UsbEndpoint(0x82, 0x03, 28)),
        ),
        UsbSetting(1, (0xFF, 0x42, 0x01), (UsbEndpoint(0x02, 0x02, 512), UsbEndpoint(0x83, 0x02, 512))),
    ),
)


def handset(serial: str | None, *ports: int) -> UsbDevice:
    """One more of the same kind."""
    return replace(HANDSET, serial=serial, place=PortPath(1, ports))


@dataclass
class FakeBus:
    """phones: where the phone behind each place listens; one that does not is not plugged in."""

    plugged: Sequence[UsbDevice]
    phones: Mapping[PortPath, str]

    def devices(self) -> list[UsbDevice]:
        return [device for device in self.plugged if device.place not in self.phones or self._listens(device.place)]

    def open(self, interface: AdbInterface) -> "FakePipe":
        assert (interface.input, interface.output) == (0x83, 0x02)
        return FakePipe(self.phones[interface.place])

    def _listens(self, place: PortPath) -> bool:
        host, _, port = self.phones[place].rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except OSError:
            return False
        return True


class FakePipe:
    """Keeps the boundaries of transfers as USB does, and insists on them as a phone does."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=5)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pending = bytearray()
        self._payload_left = 0
        self._awaits_end = False

    def read(self, size: int, timeout_s: float) -> bytes:
        assert size % PACKET_BYTES == 0, "a device that sends a whole packet overflows this buffer"
        # A header and its payload are transfers of their own.
        wanted = self._payload_left or HEADER.size
        while len(self._pending) < min(wanted, size):
            if not self._readable(timeout_s):
                return b""
            received = self._socket.recv(min(wanted, size) - len(self._pending))
            if not received:
                raise ConnectionResetError("unplugged")
            self._pending += received
        data, self._pending = bytes(self._pending), bytearray()
        self._payload_left = self._payload_left - len(data) if self._payload_left else HEADER.unpack(data)[3]
        return data

    def write(self, data: bytes, timeout_s: float) -> int:
        assert not (self._awaits_end and data), "a transfer of whole packets was not ended by an empty one"
        self._awaits_end = bool(data) and len(data) % PACKET_BYTES == 0
        self._socket.settimeout(timeout_s)
        try:
            return self._socket.send(data) if data else 0
        except TimeoutError:
            return 0

    def close(self) -> None:
        self._socket.close()

    def _readable(self, timeout_s: float) -> bool:
        return bool(select.select([self._socket], [], [], timeout_s)[0])
