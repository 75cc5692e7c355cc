"""What USB and an adb server show, as one list in which every phone is once."""

from collections.abc import Sequence

import pytest

from device_agents.discovery.finder import Finder
from device_agents.discovery.found import FoundPhone, Readiness
from device_agents.discovery.merging import chosen, merge
from device_agents.discovery.server_list import ServerDevice, parse_devices
from device_agents.discovery.server_tracker import ServerTracker
from device_agents.discovery.usb_tracker import UsbTracker
from device_agents.link.address import PortPath
from device_agents.link.server_place import ServerPlace
from device_agents.link.usb_bus import AdbInterface, UsbBus, UsbDevice, UsbPipe
from paretofarm.errors import PhoneOffline

# Lines as Google's adb 36 and Debian's 29 print them; the serial numbers are invented.
CAPTURED = """\
8A2X0MXYZ              device usb:1-4.2 product:panther model:Pixel_7 device:panther transport_id:3
R58N12ABCDE            unauthorized usb:1-1 transport_id:4
192.0.2.7:5555         offline product:husky model:Pixel_8_Pro device:husky transport_id:5
????????????           no permissions (missing udev rules? user is in the plugdev group); \
see [http://developer.android.com/tools/device.html] usb:2-1 transport_id:6
(no serial number)     device usb:2-2 product:generic model:generic device:generic transport_id:7
FA77                   bootloader usb:2-3 transport_id:8
adb-8A2X0MXYZ-aB3dE5._adb-tls-connect._tcp device product:panther model:Pixel_7 device:panther transport_id:9
"""


def test_list_of_an_adb_server_is_read() -> None:
    assert parse_devices(CAPTURED) == (
        ServerDevice("8A2X0MXYZ", Readiness.READY, "1-4.2"),
        ServerDevice("R58N12ABCDE", Readiness.UNAUTHORIZED, "1-1"),
        ServerDevice("192.0.2.7:5555", Readiness.OFFLINE),
        ServerDevice("????????????", Readiness.NO_PERMISSION, "2-1"),
        ServerDevice("(no serial number)", Readiness.READY, "2-2"),
        ServerDevice("FA77", Readiness.NOT_ANDROID, "2-3"),
        ServerDevice("adb-8A2X0MXYZ-aB3dE5._adb-tls-connect._tcp", Readiness.READY),
    )
    assert [device.is_tcp for device in parse_devices(CAPTURED)] == [False, False, True, False, False, False, False]


@pytest.mark.parametrize("text", ["", "\n", "* daemon started successfully *", "* daemon not running *"])
def test_what_is_no_phone_is_passed_over(text: str) -> None:
    assert all(device.readiness is not Readiness.READY for device in parse_devices(text))


def test_every_phone_is_found_once_and_said_what_it_needs() -> None:
    found = merge([usb("8A2X0MXYZ", 4, 2), usb("ONLYUSB", 9)], parse_devices(CAPTURED))
    assert [(phone.address, phone.readiness) for phone in found] == [
        ("server:8A2X0MXYZ", Readiness.READY),
        ("server:R58N12ABCDE", Readiness.UNAUTHORIZED),
        ("server:192.0.2.7:5555", Readiness.OFFLINE),
        ("server:usb:2-1", Readiness.NO_PERMISSION),
        ("server:usb:2-2", Readiness.READY),
        ("server:FA77", Readiness.NOT_ANDROID),
        ("usb:ONLYUSB", Readiness.READY),
    ]
    advice = {phone.serial: phone.advice for phone in found}
    assert advice["8A2X0MXYZ"] == ""
    assert "Always allow from this computer" in advice["R58N12ABCDE"]
    assert "51-android.rules" in advice["????????????"]


def test_equal_serials_are_told_apart_by_their_ports() -> None:
    twins = merge([usb("0123", 1), usb("0123", 2), usb(None, 3)], [])
    assert [phone.address for phone in twins] == ["usb:1-1", "usb:1-2", "usb:1-3"]
    listed = parse_devices("0123 device usb:1-1 transport_id:1\n0123 device usb:1-2 transport_id:2\n")
    assert [phone.address for phone in merge([], listed)] == ["server:usb:1-1", "server:usb:1-2"]
    assert [phone.address for phone in merge([usb("0123", 1), usb("0123", 2)], listed[:1])] == [
        "server:usb:1-1",
        "usb:1-2",
    ]


def test_wireless_debugging_alone_is_a_phone_of_its_own() -> None:
    listed = parse_devices("adb-8A2X0MXYZ-aB3dE5._adb-tls-connect._tcp device transport_id:9\n")
    (phone,) = merge([], listed)
    assert (phone.address, phone.serial) == ("server:adb-8A2X0MXYZ-aB3dE5._adb-tls-connect._tcp", "8A2X0MXYZ")


def test_serials_choose() -> None:
    found = merge([usb("A", 1), usb("B", 2)], [])
    assert [phone.serial for phone in chosen(found, ["B"])] == ["B"]
    assert chosen(found, []) == found


def usb(serial: str | None, *ports: int) -> AdbInterface:
    return AdbInterface(PortPath(1, ports), 0x18D1, serial, 1, 0x83, 0x02, 512)


class NoBus(UsbBus):
    def devices(self) -> list[UsbDevice]:
        raise PhoneOffline("USB needs libusb-1.0, which is not installed")

    def open(self, interface: AdbInterface) -> UsbPipe:
        raise PhoneOffline("USB needs libusb-1.0, which is not installed")


def finder(*serials: str) -> Finder:
    return Finder(ServerTracker(ServerPlace(port=1)), UsbTracker(NoBus()), serials)


def none(phones: Sequence[FoundPhone]) -> bool:
    return not phones


def test_nothing_found_says_what_to_do_in_one_line() -> None:
    looking = finder("A")
    assert none(looking.look())
    said = looking.why_none()
    assert said.startswith("no phone with serial number A is attached: plug one in and switch on USB debugging")
    assert "libusb-1.0, which is not installed" in said and "no adb server answers at 127.0.0.1:1" in said
    assert "\n" not in said
