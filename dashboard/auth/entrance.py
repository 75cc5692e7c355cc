"""How the application is reached, and what that means for whom it lets in."""

import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from paretofarm.errors import ConfigError

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Entrance:
    """host: the address that it is bound to; names: under which else it may be asked for (behind a proxy), without
    port. `*` among them: any, where a proxy in front checks that.

    open: everybody who reaches it may do everything; for loopback only. ConfigError where it is not. page_token: proves
    to an open dashboard that its own pages ask.
    """

    host: str
    names: Sequence[str] = ()
    open: bool = False
    page_token: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)

    def __post_init__(self) -> None:
        if self.open and not is_loopback(self.host):
            raise ConfigError(f"--no-auth is for this machine only: {self.host} is not a loopback address")

    def knows(self, host_header: str) -> bool:
        """Whether a `Host:` header names us. Another name that leads here is a web site's trick (DNS rebinding)."""
        name = host_name(host_header)
        if "*" in self.names or name in self.names:
            return True
        if is_loopback(self.host):
            return name in LOCAL_NAMES or name == self.host
        return name == self.host or (is_any(self.host) and (name in LOCAL_NAMES or _is_address(name)))


def host_name(host_header: str) -> str:
    """Without port and brackets, in small letters."""
    if host_header.startswith("["):
        return host_header[1:].partition("]")[0].lower()
    name, _, port = host_header.rpartition(":")
    return (name if name and port.isdigit() else host_header).lower().removesuffix(".")


def is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_any(host: str) -> bool:
    """All addresses of this machine: rebinding needs a name, so that any plain address is fine."""
    return host in ("0.0.0.0", "::")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
