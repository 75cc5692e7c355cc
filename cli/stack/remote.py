"""The servers' door to other machines: an address, and a password that is made once and kept in the data folder."""

import ipaddress
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cli.file_errors import readable_errors
from paretofarm.errors import ConfigError, StackError

DATABASE = "paretofarm"
REMOTE_USER = "paretofarm_remote"
"""Postgres' user for workers and agents elsewhere; Valkey's is its default one."""


@dataclass(frozen=True)
class Address:
    """Postgres listens on `port` of `host`, the broker on the next one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """From `HOST:PORT`, an IPv6 address in brackets. Errors: `ConfigError`."""
        try:
            parts = urlsplit(f"//{text}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or not port or parts.netloc != text or "@" in text:
            raise ConfigError(f"--listen {text!r}: must be HOST:PORT, such as 192.0.2.7:5433 or [fd00::7]:5433")
        if port >= 65535:
            raise ConfigError(f"--listen {text!r}: the port must be below 65535, since the broker takes the next one")
        if _is_everywhere(host):
            raise ConfigError(f"--listen {text!r}: name the address of this machine that the others connect to")
        return cls(host, port)

    @property
    def broker_port(self) -> int:
        return self.port + 1

    def at(self, port: int) -> str:
        """`host:port` as URLs have it."""
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"

    def check_free(self) -> None:
        """Errors: `StackError` where the host is not this machine's or a port is taken."""
        for port in (self.port, self.broker_port):
            try:
                family, _, _, _, place = socket.getaddrinfo(self.host, port, type=socket.SOCK_STREAM)[0]
                with closing(socket.create_server(place[:2], family=family)):
                    pass
            except OSError as error:
                raise StackError(f"cannot listen on {self.at(port)}: {error.strerror or error}") from error


@dataclass(frozen=True)
class Remote:
    """What another machine needs: where, and the password. It may use the network, so the network must be trusted."""

    address: Address
    password: str = field(repr=False)

    @property
    def database_url(self) -> str:
        where = self.address.at(self.address.port)
        return f"postgresql+psycopg2://{REMOTE_USER}:{self.password}@{where}/{DATABASE}"

    @property
    def broker_url(self) -> str:
        return f"redis://:{self.password}@{self.address.at(self.address.broker_port)}/0"


def keep_password(path: Path) -> str:
    """The password in the file, which is made at the first call and readable by its owner alone."""
    with readable_errors(path, StackError):
        if not path.exists():
            write_private(path, secrets.token_urlsafe(32) + "\n")
        password = path.read_text(encoding="ascii").strip()
    if not password:
        raise StackError(f"{path} is empty: delete it, and a new password will be made")
    return password


def write_private(path: Path, text: str) -> None:
    """Replaces the file in one step; nobody but the owner could read it at any time."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


def remote_lines(remote: Remote, artifacts: str | None) -> Iterator[str]:
    """What the other machine's shell reads. artifacts: a store that it reaches too, None where there is none."""
    yield "# For a worker or agent on another machine: copy this file there (it holds the password), then"
    yield "#   set -a; . ./remote.env; set +a; paretofarm worker"
    yield f"PARETOFARM_DATABASE_URL={remote.database_url}"
    yield f"PARETOFARM_BROKER_URL={remote.broker_url}"
    if artifacts is not None:
        yield f"PARETOFARM_ARTIFACTS={artifacts}"
    else:
        yield "# The artifacts are in a folder of the first machine: share it (NFS, sshfs) and say where it is here."
        yield "#PARETOFARM_ARTIFACTS=file:///shared/artifacts"


def _is_everywhere(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host == "*"
