"""What is found on USB, which of it is meant, and what libusb's complaints mean to somebody with a phone in hand."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import usb1

from device_agents.link.address import PortPath, UsbAddress
from device_agents.link.libusb import LibusbBus
from device_agents.link.usb_bus import AdbInterface, UsbDevice, UsbEndpoint, UsbSetting, adb_interface
from device_agents.link.usb_choice import choose, phones
from paretofarm.errors import ConfigError, PhoneOffline

MTP = UsbSetting(0, (0xFF, 0xFF, 0), (UsbEndpoint(0x81, 2, 512), UsbEndpoint(0x01, 2, 512), UsbEndpoint(0x82, 3, 28)))
ADB = UsbSetting(1, (0xFF, 0x42, 1), (UsbEndpoint(0x02, 2, 512), UsbEndpoint(0x83, 2, 512)))
FASTBOOT = replace(ADB, kind=(0xFF, 0x42, 3))
PIXEL = UsbDevice(PortPath(1, (4, 2)), 0x18D1, 0x4EE7, "8A2X0MXYZ", (MTP, ADB))


def test_adb_is_found_beside_other_interfaces() -> None:
    assert adb_interface(PIXEL) == AdbInterface(PIXEL.place, 0x18D1, "8A2X0MXYZ", 1, 0x83, 0x02, 512)


@pytest.mark.parametrize("settings", [(), (MTP,), (FASTBOOT,), (replace(ADB, endpoints=ADB.endpoints[:1]),)])
def test_what_is_no_adb_is_left_alone(settings: tuple[UsbSetting, ...]) -> None:
    assert adb_interface(replace(PIXEL, settings=settings)) is None


def test_phone_is_chosen_by_serial_or_port() -> None:
    other = replace(PIXEL, place=PortPath(2, (1,)), serial="OTHER")
    assert choose([PIXEL, other], UsbAddress(serial="OTHER")).place == other.place
    assert choose([PIXEL, other], UsbAddress(ports=PortPath(1, (4, 2)))).serial == "8A2X0MXYZ"
    assert [phone.serial for phone in phones([PIXEL, other])] == ["8A2X0MXYZ", "OTHER"]


def test_equal_serials_name_the_ports() -> None:
    twin = replace(PIXEL, place=PortPath(2, (1,)))
    with pytest.raises(ConfigError, match=r"2 phones have this serial number: name the port, usb:1-4\.2 or usb:2-1"):
        choose([PIXEL, twin], UsbAddress(serial="8A2X0MXYZ"))


@pytest.mark.parametrize(
    "devices, said",
    [
        ([], "USB has no phone with USB debugging on"),
        ([PIXEL], r"USB has usb:1-4\.2$"),
        ([replace(PIXEL, serial="ABSENT", settings=(MTP,))], "without ADB: switch on USB debugging"),
    ],
)
def test_absent_phone_says_what_is_there(devices: list[UsbDevice], said: str) -> None:
    with pytest.raises(PhoneOffline, match=rf"usb:ABSENT is not plugged in: .*{said}"):
        choose(devices, UsbAddress(serial="ABSENT"))


# libusb itself, as far as it can be without hardware: its own exceptions, its objects' shapes.


@dataclass
class FakeHandle:
    trouble: Exception | None = None
    log: list[Any] = field(default_factory=list)

    def claimInterface(self, number: int) -> None:
        self.log.append(("claim", number))
        if self.trouble:
            raise self.trouble

    def releaseInterface(self, number: int) -> None:
        self.log.append(("release", number))

    def bulkRead(self, endpoint: int, size: int, timeout: int) -> bytes:
        self.log.append(("read", endpoint, size, timeout))
        error = usb1.USBErrorTimeout(-7)
        error.received = b"part"
        raise self.trouble or error

    def bulkWrite(self, endpoint: int, data: bytes, timeout: int) -> int:
        self.log.append(("write", endpoint, bytes(data), timeout))
        return len(data)

    def close(self) -> None:
        self.log.append("close")


class FakeSetting(tuple[Any, ...]):
    def getNumber(self) -> int:
        return 1

    def getClass(self) -> int:
        return 0xFF

    def getSubClass(self) -> int:
        return 0x42

    def getProtocol(self) -> int:
        return 1


@dataclass
class FakeEndpoint:
    address: int

    def getAddress(self) -> int:
        return self.address

    def getAttributes(self) -> int:
        return 2

    def getMaxPacketSize(self) -> int:
        return 512


@dataclass
class FakeDevice:
    handle: FakeHandle
    refused: Exception | None = None

    def getBusNumber(self) -> int:
        return 1

    def getPortNumberList(self) -> list[int]:
        return [4, 2]

    def getVendorID(self) -> int:
        return 0x04E8

    def getProductID(self) -> int:
        return 0x6860

    def getSerialNumber(self) -> str:
        if self.refused:
            raise self.refused
        return "R58N"

    def iterSettings(self) -> Iterator[FakeSetting]:
        yield FakeSetting((FakeEndpoint(0x02), FakeEndpoint(0x83)))

    def open(self) -> FakeHandle:
        if self.refused:
            raise self.refused
        return self.handle


@dataclass
class FakeContext:
    device: FakeDevice
    closed: bool = False

    def __call__(self) -> "FakeContext":
        return self

    def open(self) -> "FakeContext":
        return self

    def getDeviceIterator(self, skip_on_error: bool) -> list[FakeDevice]:
        return [self.device]

    def close(self) -> None:
        self.closed = True


def bus_with(
    tmp_path: Path, *, claim: Exception | None = None, opening: Exception | None = None
) -> tuple[LibusbBus, FakeContext]:
    context = FakeContext(FakeDevice(FakeHandle(claim), opening))
    return LibusbBus(context, tmp_path), context


def only_phone(bus: LibusbBus) -> AdbInterface:
    (interface,) = phones(bus.devices())
    return interface


def test_descriptors_are_read(tmp_path: Path) -> None:
    bus, context = bus_with(tmp_path)
    assert only_phone(bus) == AdbInterface(PortPath(1, (4, 2)), 0x04E8, "R58N", 1, 0x83, 0x02, 512)
    assert context.closed


def test_serial_is_known_without_the_permission_to_open(tmp_path: Path) -> None:
    bus, _ = bus_with(tmp_path, opening=usb1.USBErrorAccess(-3))
    assert only_phone(bus).serial is None
    (tmp_path / "1-4.2").mkdir()
    (tmp_path / "1-4.2/serial").write_text("R58N\n")
    assert only_phone(bus).serial == "R58N"


def test_missing_rule_is_printed_with_the_vendor(tmp_path: Path) -> None:
    bus, context = bus_with(tmp_path, opening=usb1.USBErrorAccess(-3))
    interface = only_phone(bus)
    with pytest.raises(PhoneOffline, match=r'usb:1-4\.2: no permission: .*ATTR\{idVendor\}=="04e8".*51-android\.rules'):
        bus.open(interface)
    assert context.closed


def test_held_interface_names_the_adb_server(tmp_path: Path) -> None:
    bus, context = bus_with(tmp_path, claim=usb1.USBErrorBusy(-6))
    with pytest.raises(PhoneOffline, match=r"another program .*`adb kill-server`.*--connect server:SERIAL"):
        bus.open(only_phone(bus))
    assert context.device.handle.log == [("claim", 1), "close"] and context.closed


def test_missing_library_is_named(tmp_path: Path) -> None:
    def no_library() -> FakeContext:
        raise OSError("cannot find a suitable libusb-1.0")

    with pytest.raises(PhoneOffline, match=r"libusb-1\.0, which is not installed: apt-get install libusb-1\.0-0"):
        LibusbBus(no_library, tmp_path).devices()


def test_pipe_keeps_what_came_before_a_timeout_and_gives_the_interface_back(tmp_path: Path) -> None:
    bus, context = bus_with(tmp_path)
    pipe = bus.open(only_phone(bus))
    assert pipe.read(512, 0.25) == b"part"
    assert pipe.write(b"", 0.0001) == 0
    pipe.close()
    log = context.device.handle.log
    assert log == [("claim", 1), ("read", 0x83, 512, 250), ("write", 0x02, b"", 1), ("release", 1), "close"]


def test_pulled_plug_is_a_lost_connection(tmp_path: Path) -> None:
    bus, context = bus_with(tmp_path)
    pipe = bus.open(only_phone(bus))
    context.device.handle.trouble = usb1.USBErrorNoDevice(-4)
    with pytest.raises(ConnectionResetError, match="USB"):
        pipe.read(512, 0.25)
