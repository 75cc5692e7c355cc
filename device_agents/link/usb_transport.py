"""The USB side of the link: adb-shell's transport over a `UsbPipe`.

Never run on a phone here: tests put a virtual phone at the other end of the pipe.
"""

import time
from dataclasses import dataclass

from adb_shell.transport.base_transport import BaseTransport

from device_agents.link.address import UsbAddress
from device_agents.link.deadline import Deadline, DeadlineExceeded
from device_agents.link.usb_bus import UsbBus, UsbPipe
from device_agents.link.usb_choice import choose

SLICE_S = 0.25
"""libusb's waits cannot be ended from another thread: they are this long."""
STALE_S = 0.02
READ_BYTES = 16 * 1024


class UsbTransport(BaseTransport):
    """Every wait ends at the deadline of the call in progress. reached: whether the phone was plugged in, when last it
    was tried.
    """

    def __init__(self, address: UsbAddress, bus: UsbBus) -> None:
        self.reached = False
        self.deadline = Deadline()
        self._address = address
        self._bus = bus
        self._pipe: UsbPipe | None = None
        self._packet_bytes = 1
        self._received = bytearray()
        self._aborted = False

    def abort(self) -> None:
        """Ends every wait soon, from any thread. The connection stays to be closed."""
        self._aborted = True

    def connect(self, transport_timeout_s: float | None) -> None:
        self.reached = self._aborted = False
        interface = choose(self._bus.devices(), self._address)
        self.reached = True
        self._packet_bytes = interface.packet_bytes
        self._pipe = self._bus.open(interface)
        # What the phone still wanted to say to whoever held the interface before.
        while self._pipe.read(READ_BYTES, STALE_S):
            self.deadline.remaining_s()

    def close(self) -> None:
        pipe, self._pipe = self._pipe, None
        self._received.clear()
        if pipe:
            pipe.close()

    def bulk_read(self, numbytes: int, transport_timeout_s: float | None) -> bytes:
        silence = self._silence("read")
        while not self._received:
            self._fill(numbytes, silence.left_s())
        data = bytes(self._received[:numbytes])
        del self._received[:numbytes]
        return data

    def has_something(self, within_s: float) -> bool:
        end = time.monotonic() + within_s
        while not self._received and (left_s := min(end - time.monotonic(), self.deadline.remaining_s())) > 0:
            self._fill(self._packet_bytes, left_s)
        return bool(self._received)

    def bulk_write(self, data: bytes, transport_timeout_s: float | None) -> int:
        left, silence = bytes(data), self._silence("written")
        while left:
            taken = self._live().write(left, min(silence.left_s(), SLICE_S))
            if taken:
                left, silence = left[taken:], self._silence("written")
        if data and len(data) % self._packet_bytes == 0:
            # Nothing else tells the phone that a message of whole packets ends here (AOSP `usb_linux.cpp`).
            self._live().write(b"", min(silence.left_s(), SLICE_S))
        return len(data)

    def _fill(self, numbytes: int, wait_s: float) -> None:
        # Whole packets are asked for: a device that sends more than was asked for is an overflow error.
        wanted = -(-numbytes // self._packet_bytes) * self._packet_bytes
        self._received += self._live().read(min(wanted, READ_BYTES), min(wait_s, SLICE_S))

    def _live(self) -> UsbPipe:
        if self._aborted:
            raise ConnectionAbortedError("interrupted")
        if self._pipe is None:
            raise ConnectionResetError("the connection was closed")
        return self._pipe

    def _silence(self, what: str) -> "_Silence":
        return _Silence(what, time.monotonic() + self.deadline.wait_s())


@dataclass(frozen=True)
class _Silence:
    """One wait, which is over at a moment of the monotonic clock. what: is waited for."""

    what: str
    end: float

    def left_s(self) -> float:
        left = self.end - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"nothing was {self.what} within the time limit")
        return left
