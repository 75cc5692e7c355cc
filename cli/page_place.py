"""Where the web page of a farm on this machine is: a port of loopback, always the same where that is free."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from paretofarm.errors import ConfigError

VARIABLE = "PARETOFARM_DASHBOARD_PORT"
LOOPBACK = "127.0.0.1"
USUAL = 8080
MODULES = ("fastapi", "jinja2", "uvicorn")


@dataclass(frozen=True)
class PagePlace:
    """A port of loopback, open to everybody on this machine."""

    port: int

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"


def page_place(environment: Mapping[str, str]) -> PagePlace | None:
    """The port that the environment names, else the usual one, else any that is free. None without the extra.

    Errors: ConfigError for what is no port.
    """
    if any(find_spec(module) is None for module in MODULES):
        return None
    named = environment.get(VARIABLE, "")
    if not named:
        return PagePlace(USUAL if _free(USUAL) else _free(0))
    if not named.isascii() or not named.isdigit() or not 0 < int(named) < 65536:
        raise ConfigError(f"{VARIABLE} = {named!r} is no port from 1 to 65535")
    return PagePlace(int(named))


def _free(port: int) -> int:
    """The port, any free one for 0; 0 where it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return 0
        return int(probe.getsockname()[1])
