"""Where an adb server listens."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from paretofarm.errors import ConfigError

HOST = "ANDROID_ADB_SERVER_ADDRESS"
PORT = "ANDROID_ADB_SERVER_PORT"
"""Both are Google adb's own."""
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 5037


@dataclass(frozen=True)
class ServerPlace:
    """host:port of an adb server. Whoever reaches it has a shell on its phones: nothing is asked for."""

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """As Google's adb finds it. ConfigError for a port that is none."""
        found = os.environ if environment is None else environment
        port = found.get(PORT) or str(DEFAULT_PORT)
        if not _is_port(port):
            raise ConfigError(f"{PORT}: {port!r} is not a port")
        return cls(found.get(HOST) or DEFAULT_HOST, int(port))

    @classmethod
    def parse(cls, text: str) -> Self:
        """`HOST:PORT`. ConfigError for anything else."""
        host, _, port = text.rpartition(":")
        if not host or any(char.isspace() for char in host) or not _is_port(port):
            raise ConfigError(f"{text!r} is not HOST:PORT")
        return cls(host.strip("[]"), int(port))

    def environment(self) -> dict[str, str]:
        """What tells a process, ours or Google's adb, to use this server."""
        return {HOST: self.host, PORT: str(self.port)}

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) < 65536
