"""The device agent's connection to a phone: `paretofarm.ports.DeviceLink` over ADB."""

from pathlib import Path

from device_agents.link.address import ServerAddress, TableAddress, TcpAddress, UsbAddress, parse_address
from device_agents.link.channel import Channel
from device_agents.link.server_place import ServerPlace
from paretofarm.errors import ConfigError
from paretofarm.ports import DeviceLink

DEFAULT_KEY_PATH = Path("~/.paretofarm/adbkey")


def open_link(
    address: str,
    key_path: Path = DEFAULT_KEY_PATH,
    *,
    authorization_wait_s: float = 10.0,
    server: ServerPlace | None = None,
) -> DeviceLink:
    """A link to the phone at `host:port`, `usb:SERIAL`, `usb:BUS-PORT` or `server:SERIAL`, not yet connected.

    `key_path` is the private half of the RSA pair this computer shows to phones; it is made where there is none (an adb
    server has a key of its own). `authorization_wait_s` is how long a connection stays open for somebody to accept the
    key on the phone's screen. `server`: where the adb server listens; by default the environment says it. ConfigError
    for what is no address.
    """
    from device_agents.link.adb_link import AdbLink

    return AdbLink(
        open_channel(address, key_path, authorization_wait_s=authorization_wait_s, server=server),
    )


def open_channel(
    address: str, key_path: Path, *, authorization_wait_s: float, server: ServerPlace | None = None
) -> Channel:
    """What a link talks through; see `open_link`."""
    wait_s = authorization_wait_s
    # Imported here: `device_agents.link.keys` must be usable without adb-shell, an adb server and TCP without libusb.
    match parse_address(address):
        case ServerAddress(device=device):
            from device_agents.link.adb_server import AdbServerChannel

            return AdbServerChannel(device, server or ServerPlace.of_environment())
        case TcpAddress(host=host, port=port):
            from device_agents.link.adb_shell import AdbShellChannel
            from device_agents.link.transport import TcpTransport

            return AdbShellChannel(address, TcpTransport(host, port), key_path, authorization_wait_s=wait_s)
        case UsbAddress() as usb:
            from device_agents.link.adb_shell import AdbShellChannel
            from device_agents.link.libusb import LibusbBus
            from device_agents.link.usb_transport import UsbTransport

            return AdbShellChannel(address, UsbTransport(usb, LibusbBus()), key_path, authorization_wait_s=wait_s)
        case TableAddress():
            raise ConfigError(f"{address} is no phone")
