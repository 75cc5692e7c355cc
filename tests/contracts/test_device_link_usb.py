"""The ADB link over USB, with a fake bus whose pipes end in our phone. No real USB was ever at the other end."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from device_link_contract import DeviceLinkContract, LinkMaker
from fake_usb import HANDSET, KEYBOARD, FakeBus, handset
from phone_processes import PhoneProcess, start_virtual_phone

from device_agents.link.adb_link import AdbLink
from device_agents.link.adb_shell import AdbShellChannel
from device_agents.link.address import UsbAddress
from device_agents.link.keys import ensure_key_pair
from device_agents.link.usb_transport import UsbTransport
from paretofarm.errors import ConfigError, PhoneOffline
from paretofarm.ports import DeviceLink, LinkState


def usb_link(bus: FakeBus, address: UsbAddress, key: Path) -> DeviceLink:
    return AdbLink(AdbShellChannel(str(address), UsbTransport(address, bus), key, authorization_wait_s=0.5))


class TestVirtualPhoneOverUsb(DeviceLinkContract):
    @pytest.fixture(scope="class")
    @classmethod
    def key_path(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return ensure_key_pair(tmp_path_factory.mktemp("keys") / "adbkey")

    @pytest.fixture(scope="class")
    @classmethod
    def phone(cls, key_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhoneProcess]:
        root = tmp_path_factory.mktemp("phone")
        phone = start_virtual_phone(root, "--require-auth", f"{key_path}.pub")
        yield phone
        phone.stop()

    @pytest.fixture
    def own_phone(self, tmp_path: Path) -> Iterator[PhoneProcess]:
        phone = start_virtual_phone(tmp_path / "phone")
        yield phone
        phone.stop()

    @pytest.fixture
    def make_link(self, key_path: Path) -> Iterator[LinkMaker]:
        """The contract names phones by `host:port`; here each is plugged in somewhere under a serial of its own."""
        links: list[DeviceLink] = []
        places: dict[str, str] = {}

        def make(address: str) -> DeviceLink:
            serial = address.removeprefix("usb:")
            target = places.setdefault(serial, address)
            phone = handset(serial, len(places))
            bus = FakeBus([KEYBOARD, HANDSET, phone], {phone.place: target})
            links.append(usb_link(bus, UsbAddress(serial=serial), key_path))
            return links[-1]

        yield make
        for link in links:
            link.close()


def test_phone_is_unplugged_and_plugged_in_elsewhere(tmp_path: Path) -> None:
    phone = start_virtual_phone(tmp_path / "phone")
    bus = FakeBus([HANDSET], {HANDSET.place: phone.address})
    link = usb_link(bus, UsbAddress(serial=HANDSET.serial), tmp_path / "adbkey")
    assert link.state() == LinkState.ONLINE
    bus.plugged = []
    link.close()
    assert link.state() == LinkState.ABSENT
    with pytest.raises(PhoneOffline, match="usb:8A2X0MXYZ is not plugged in: USB has no phone"):
        link.connect()
    moved = handset(HANDSET.serial, 7)
    bus.plugged, bus.phones = [moved], {moved.place: phone.address}
    assert link.run(["echo", "back"], timeout_s=5).stdout == "back\n"
    link.close()
    phone.stop()


def test_two_phones_of_one_serial_are_told_apart_by_their_ports(tmp_path: Path) -> None:
    phones = [start_virtual_phone(tmp_path / name, serial=name) for name in ("LEFT", "RIGHT")]
    left, right = handset("0123456789ABCDEF", 1), handset("0123456789ABCDEF", 2)
    bus = FakeBus([left, right], {left.place: phones[0].address, right.place: phones[1].address})
    with pytest.raises(ConfigError, match="2 phones have this serial number: name the port, usb:1-1 or usb:1-2"):
        usb_link(bus, UsbAddress(serial="0123456789ABCDEF"), tmp_path / "adbkey").connect()
    links = [usb_link(bus, UsbAddress(ports=device.place), tmp_path / "adbkey") for device in (left, right)]
    assert [link.properties()["ro.serialno"] for link in links] == ["LEFT", "RIGHT"]
    for link, phone in zip(links, phones, strict=True):
        link.close()
        phone.stop()
