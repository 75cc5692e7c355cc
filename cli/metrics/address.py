"""Where a process tells its metrics."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from paretofarm.errors import ConfigError

VARIABLE = "PARETOFARM_METRICS"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class MetricsAddress:
    """port 0: any that is free, named in the log."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`HOST:PORT`, or `PORT` alone for this machine only. ConfigError for anything else."""
        host, _, port = text.strip().rpartition(":")
        if not (port.isascii() and port.isdigit() and int(port) < 65536) or any(char.isspace() for char in host):
            raise ConfigError(f"{text!r} is not HOST:PORT")
        return cls(host.strip("[]") or LOOPBACK, int(port))

    def next(self, steps: int) -> Self:
        """For the next processes on this machine: the ports after this one. ConfigError where there are none left."""
        if self.port and self.port + steps > 65535:
            raise ConfigError(f"{VARIABLE}: {steps} processes need the ports after {self.port}, which end at 65535")
        return replace(self, port=self.port + steps if self.port else 0)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def metrics_address(environment: Mapping[str, str]) -> MetricsAddress | None:
    """The one that the environment names, if any. ConfigError for one that cannot be read."""
    text = environment.get(VARIABLE)
    try:
        return MetricsAddress.parse(text) if text else None
    except ConfigError as error:
        raise ConfigError(f"{VARIABLE}: {error}") from error
