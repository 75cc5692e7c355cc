"""The list that an adb server gives of its phones (`adb devices -l`). Pure."""

import re
from dataclasses import dataclass

from device_agents.discovery.found import Readiness

NO_SERIAL = "(no serial number)"
STATES = {
    "device": Readiness.READY,
    "unauthorized": Readiness.UNAUTHORIZED,
    "authorizing": Readiness.UNAUTHORIZED,
    "offline": Readiness.OFFLINE,
    "connecting": Readiness.OFFLINE,
    "detached": Readiness.OFFLINE,
    "no": Readiness.NO_PERMISSION,  # "no permissions (missing udev rules? …)"
}
_LINE = re.compile(rf"({re.escape(NO_SERIAL)}|\S+)\s+(\S+)(.*)")
_PORT = re.compile(r"\susb:(\S+)")
_WIRELESS = re.compile(r"adb-(.+)-\w{6}\._adb-tls-connect\._tcp\.?")
_TCP = re.compile(r"\S+:\d{1,5}")


@dataclass(frozen=True)
class ServerDevice:
    """port: `1-4.2` where it is on USB."""

    serial: str
    readiness: Readiness
    port: str | None = None

    @property
    def own_serial(self) -> str:
        """The phone's, which wireless debugging wraps in a name of its own."""
        match = _WIRELESS.fullmatch(self.serial)
        return match.group(1) if match else self.serial

    @property
    def is_tcp(self) -> bool:
        """Whether `adb connect` brought it."""
        return self.port is None and bool(_TCP.fullmatch(self.serial))


def parse_devices(text: str) -> tuple[ServerDevice, ...]:
    """One line per phone; unknown states are those of phones that run something else than Android."""
    return tuple(_device(*match.groups()) for line in text.splitlines() if (match := _LINE.fullmatch(line.strip())))


def _device(serial: str, state: str, rest: str) -> ServerDevice:
    port = _PORT.search(rest)
    return ServerDevice(serial, STATES.get(state, Readiness.NOT_ANDROID), port.group(1) if port else None)
