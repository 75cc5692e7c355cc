"""Which of the plugged-in phones an address means. Pure."""

from collections.abc import Sequence

from device_agents.link.address import UsbAddress
from device_agents.link.usb_bus import AdbInterface, UsbDevice, adb_interface
from paretofarm.errors import ConfigError, PhoneOffline


def phones(devices: Sequence[UsbDevice]) -> list[AdbInterface]:
    """Those that speak ADB."""
    return [interface for device in devices if (interface := adb_interface(device))]


def choose(devices: Sequence[UsbDevice], address: UsbAddress) -> AdbInterface:
    """Errors: PhoneOffline where it is not plugged in or does not speak ADB; ConfigError where several are meant."""
    found = [interface for interface in phones(devices) if _is_meant(interface, address)]
    if len(found) > 1:
        raise ConfigError(
            f"{address}: {len(found)} phones have this serial number: name the port, {_ports(found, 'or')}"
        )
    if not found:
        raise PhoneOffline(f"{address} is not plugged in: {_present(devices, address)}")
    return found[0]


def _is_meant(interface: AdbInterface, address: UsbAddress) -> bool:
    return interface.place == address.ports if address.ports else interface.serial == address.serial


def _present(devices: Sequence[UsbDevice], address: UsbAddress) -> str:
    for device in devices:
        same = device.place == address.ports if address.ports else device.serial == address.serial
        if same:
            return "the device is there without ADB: switch on USB debugging in the phone's developer options"
    seen = phones(devices)
    return f"USB has {_ports(seen, 'and')}" if seen else "USB has no phone with USB debugging on"


def _ports(interfaces: Sequence[AdbInterface], word: str) -> str:
    return f" {word} ".join(str(UsbAddress(ports=interface.place)) for interface in interfaces)
