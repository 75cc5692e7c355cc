"""The device agent's connection to a phone: `paretofarm.ports.DeviceLink` over ADB."""

from pathlib import Path

from paretofarm.ports import DeviceLink

DEFAULT_KEY_PATH = Path("~/.paretofarm/adbkey")


def open_link(address: str, key_path: Path = DEFAULT_KEY_PATH, *, authorization_wait_s: float = 10.0) -> DeviceLink:
    """A link to the phone at `host:port`, not yet connected.

    `key_path` is the private half of the RSA pair this computer shows to phones; it is made where there is none.
    `authorization_wait_s` is how long a connection stays open for somebody to accept the key on the phone's screen.
    """
    # Imported here: `device_agents.link.keys` must be usable without adb-shell.
    from device_agents.link.adb_shell import AdbShellLink

    return AdbShellLink(address, key_path, authorization_wait_s=authorization_wait_s)
