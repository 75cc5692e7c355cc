"""USB as far as ADB needs it: what is plugged in, and a pipe to one interface. `libusb` is the real one."""

from dataclasses import dataclass
from typing import Protocol

from device_agents.link.address import PortPath

ADB_CLASS = (0xFF, 0x42, 0x01)
"""Class, subclass and protocol of ADB's interface (AOSP `adb.h`)."""
INPUT = 0x80
TRANSFER_TYPE = 0x03
BULK = 0x02


@dataclass(frozen=True)
class UsbEndpoint:
    """An endpoint descriptor: address, attributes and the size of its packets in bytes."""

    address: int
    attributes: int
    packet_bytes: int


@dataclass(frozen=True)
class UsbSetting:
    """One alternate setting of one interface."""

    number: int
    kind: tuple[int, int, int]
    endpoints: tuple[UsbEndpoint, ...]


@dataclass(frozen=True)
class UsbDevice:
    """What is plugged in somewhere. serial: None where it has none or may not be asked."""

    place: PortPath
    vendor: int
    product: int
    serial: str | None
    settings: tuple[UsbSetting, ...]


@dataclass(frozen=True)
class AdbInterface:
    """Where to claim and what to write to and read from."""

    place: PortPath
    vendor: int
    serial: str | None
    number: int
    input: int
    output: int
    packet_bytes: int


class UsbPipe(Protocol):
    """A claimed interface."""

    def read(self, size: int, timeout_s: float) -> bytes:
        """Up to `size` bytes, a multiple of the packet size; b"" where none came in time. OSError once it is gone."""

    def write(self, data: bytes, timeout_s: float) -> int:
        """How many bytes were taken in time. b"" is sent as a packet without content. OSError once it is gone."""

    def close(self) -> None:
        """Gives the interface back. Never raises."""


class UsbBus(Protocol):
    """All of USB. Errors: `PhoneOffline` saying what to do."""

    def devices(self) -> list[UsbDevice]:
        """What is plugged in now."""

    def open(self, interface: AdbInterface) -> UsbPipe:
        """Claims an interface, which is then nobody else's."""


def adb_interface(device: UsbDevice) -> AdbInterface | None:
    """Where a device speaks ADB; None where it does not (USB debugging is off, or it is no phone)."""
    for setting in device.settings:
        bulk = [endpoint for endpoint in setting.endpoints if endpoint.attributes & TRANSFER_TYPE == BULK]
        inputs = [endpoint for endpoint in bulk if endpoint.address & INPUT]
        outputs = [endpoint for endpoint in bulk if not endpoint.address & INPUT]
        if setting.kind == ADB_CLASS and inputs and outputs:
            return AdbInterface(
                place=device.place,
                vendor=device.vendor,
                serial=device.serial,
                number=setting.number,
                input=inputs[0].address,
                output=outputs[0].address,
                packet_bytes=outputs[0].packet_bytes,
            )
    return None
