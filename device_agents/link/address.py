"""The text by which a phone is found, parsed. Pure."""

import re
from dataclasses import dataclass

from paretofarm.errors import ConfigError

USB = "usb:"
SERVER = "server:"
TABLE = "table:"
FORMS = "host:port, usb:SERIAL, usb:BUS-PORT, server:SERIAL or table:CLASS"
_PORTS = re.compile(r"(\d+)-(\d+(?:\.\d+)*)")


@dataclass(frozen=True)
class PortPath:
    """Where a USB device is plugged in, as the kernel names it: `1-4.2` is port 2 of the hub in port 4 of bus 1."""

    bus: int
    ports: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.bus}-{'.'.join(map(str, self.ports))}"


@dataclass(frozen=True)
class TcpAddress:
    """adbd itself, over TCP (`adb tcpip 5555`, wireless debugging, a virtual phone)."""

    host: str
    port: int


@dataclass(frozen=True)
class UsbAddress:
    """A USB device, by its serial number or by where it is plugged in; exactly one of them."""

    serial: str | None = None
    ports: PortPath | None = None

    def __str__(self) -> str:
        return f"{USB}{self.ports or self.serial}"


@dataclass(frozen=True)
class ServerAddress:
    """A phone of an adb server, by what `adb -s` takes: serial number, `host:port` or `usb:BUS-PORT`."""

    device: str

    def __str__(self) -> str:
        return f"{SERVER}{self.device}"


@dataclass(frozen=True)
class TableAddress:
    """No phone at all: the device class of searches whose latencies are looked up in a table."""

    device: str

    def __str__(self) -> str:
        return f"{TABLE}{self.device}"


Address = TcpAddress | UsbAddress | ServerAddress | TableAddress


def parse_address(text: str) -> Address:
    """ConfigError for what is no address."""
    if text.startswith(USB):
        return _usb(text)
    if text.startswith(SERVER):
        return ServerAddress(_word(text, SERVER))
    if text.startswith(TABLE):
        return TableAddress(_word(text, TABLE))
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"phone address {text!r}: expected {FORMS}")
    return TcpAddress(host.strip("[]"), int(port))


def parse_ports(text: str) -> PortPath | None:
    """None where that is no port path."""
    match = _PORTS.fullmatch(text)
    return PortPath(int(match.group(1)), tuple(map(int, match.group(2).split(".")))) if match else None


def names_a_port(text: str) -> bool:
    """Whether an address says where a phone is plugged in rather than who it is: needed where serials are equal."""
    match parse_address(text):
        case UsbAddress(ports=ports):
            return ports is not None
        case ServerAddress(device=device):
            return device.startswith(USB)
        case TcpAddress() | TableAddress():
            return False


def _usb(text: str) -> UsbAddress:
    word = _word(text, USB)
    ports = parse_ports(word)
    return UsbAddress(ports=ports) if ports else UsbAddress(serial=word)


def _word(text: str, prefix: str) -> str:
    word = text.removeprefix(prefix)
    if not word or any(char.isspace() or not char.isprintable() for char in word):
        raise ConfigError(f"phone address {text!r}: expected {FORMS}")
    return word
