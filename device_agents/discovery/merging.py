"""What USB and the adb server show, as one list in which every phone is once. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from device_agents.discovery.found import FoundPhone, Readiness
from device_agents.discovery.server_list import ServerDevice
from device_agents.link.address import ServerAddress, UsbAddress
from device_agents.link.usb_bus import AdbInterface

_SERIAL = re.compile(r"[\w.:-]+")


def merge(usb: Sequence[AdbInterface], server: Sequence[ServerDevice]) -> tuple[FoundPhone, ...]:
    """Through the server where it has the phone: it holds the USB interface. Equal serials are told apart by ports."""
    on_server = _without_second_ways(server)
    left = [interface for interface in usb if not any(_is_same(interface, device) for device in on_server)]
    counts = Counter([device.serial for device in on_server] + [interface.serial or "" for interface in left])
    found = [_through_server(device, counts) for device in on_server]
    return tuple(found + [_over_usb(interface, counts) for interface in left])


def _without_second_ways(devices: Sequence[ServerDevice]) -> list[ServerDevice]:
    """A phone that is on the cable and on the air at once is measured over the cable."""
    wired = {device.serial for device in devices if device.port}
    return [device for device in devices if device.port or device.own_serial not in wired]


def _is_same(interface: AdbInterface, device: ServerDevice) -> bool:
    if device.port:
        return device.port == str(interface.place) and device.serial in (interface.serial, *_NAMELESS)
    return device.own_serial == interface.serial


_NAMELESS = ("????????????", "(no serial number)")


def _through_server(device: ServerDevice, counts: Counter[str]) -> FoundPhone:
    by_port = device.port and not _is_good(device.serial, counts)
    name = f"usb:{device.port}" if by_port else device.serial
    return FoundPhone(str(ServerAddress(name)), device.own_serial, device.readiness)


def _over_usb(interface: AdbInterface, counts: Counter[str]) -> FoundPhone:
    serial = interface.serial or ""
    good = _is_good(serial, counts)
    address = UsbAddress(serial=serial) if good else UsbAddress(ports=interface.place)
    return FoundPhone(str(address), serial, Readiness.READY)


def _is_good(serial: str, counts: Counter[str]) -> bool:
    return bool(_SERIAL.fullmatch(serial)) and counts[serial] == 1


def chosen(phones: Iterable[FoundPhone], serials: Sequence[str]) -> tuple[FoundPhone, ...]:
    """Those with one of these serial numbers; all where none is given."""
    return tuple(phone for phone in phones if not serials or phone.serial in serials)
