"""Valkey (or Redis) from its own program: a unix socket, no TCP port unless it is asked for, an append-only file."""

import logging
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from cli.file_errors import readable_errors
from cli.stack.child import Launch, Signals
from cli.stack.folder import BROKER_SOCKET
from cli.stack.identity import Identity, hand_over
from cli.stack.postgres import ENVIRONMENT
from cli.stack.remote import Remote, write_private
from paretofarm.errors import StackError

logger = logging.getLogger(__name__)

DATABASES = 512
DAMAGE = ("append only file", "aof", "rdb", "base file", "manifest")


@dataclass(frozen=True)
class BrokerServer:
    """One server on `data`, with its socket in `sockets`, a private folder that exists. A service of the supervisor.

    It only delivers: what it holds can be sent again from the database, so data that it cannot read is moved aside.
    """

    program: Path
    data: Path
    sockets: Path
    log: Path
    identity: Identity = Identity.SAME
    fsync: str = "everysec"
    name: str = "broker"
    rank: int = 1
    restart: bool = True
    remote: Remote | None = None
    start_timeout_s: float = 60.0
    stop_signals: Signals = ((signal.SIGTERM, 5.0),)

    @property
    def socket(self) -> Path:
        return self.sockets / BROKER_SOCKET

    def url(self, database: int = 0) -> str:
        """Celery's address of one of the server's numbered databases; with a password where it listens."""
        if self.remote:
            return f"{self.remote.broker_url.removesuffix('/0')}/{database}"
        return f"redis+socket://{self.socket}?virtual_host={database}"

    def prepare(self) -> Launch:
        """Makes the data folder where there is none (or no longer), and removes a killed server's socket."""
        with readable_errors(self.data, StackError):
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            hand_over(self.data, self.identity)
            self.sockets.mkdir(mode=0o700, exist_ok=True)
            hand_over(self.sockets, self.identity)
            self.socket.unlink(missing_ok=True)
            access = [str(self._write_access())] if self.remote else ["--port", "0"]
        options = {
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "databases": str(DATABASES),
            "save": "",
            "appendonly": "yes",
            "appendfsync": self.fsync,
            "aof-load-truncated": "yes",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return Launch(
            argv=(str(self.program), *access, *words),
            environment=ENVIRONMENT,
            log=self.log,
            identity=self.identity,
            death_signal=signal.SIGTERM,
        )

    def _write_access(self) -> Path:
        """A configuration file, since the arguments of a process can be seen by everybody."""
        assert self.remote is not None
        address = self.remote.address
        file = self.sockets / "broker.conf"
        lines = (f"bind {address.host}", f"port {address.broker_port}", f"requirepass {self.remote.password}")
        write_private(file, "".join(f"{line}\n" for line in lines))
        hand_over(file, self.identity)
        return file

    def is_ready(self) -> bool:
        """By PING; a server that still loads its file answers with an error."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(2)
                client.connect(str(self.socket))
                if self.remote:
                    client.sendall(f"AUTH {self.remote.password}\r\n".encode())
                    if not client.recv(64).startswith(b"+OK"):
                        return False
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    def repair(self, log: str) -> bool:
        """Moves data aside that the server has complained about."""
        if not any(word in log.lower() for word in DAMAGE) or not any(self.data.iterdir()):
            return False
        aside = self.data.with_name(f"{self.data.name}-damaged-{time.time_ns()}")
        self.data.replace(aside)
        logger.warning("the broker cannot read its data: moved to %s, started empty", aside)
        return True
