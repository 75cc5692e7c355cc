"""The phone itself: a listener, its connections, its processes."""

import logging
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from device_agents.virtual_phone.authorization import AuthorizedKeys
from device_agents.virtual_phone.connection import Connection, Service
from device_agents.virtual_phone.firmware import BIN, banner, install_firmware, runner_server
from device_agents.virtual_phone.paths import needs_no_quoting
from device_agents.virtual_phone.processes import ProcessTable
from device_agents.virtual_phone.shell_service import ShellService
from device_agents.virtual_phone.state import change_state, rebooted_state
from device_agents.virtual_phone.stream import Stream
from device_agents.virtual_phone.sync_service import SyncService

log = logging.getLogger(__name__)

FEATURES = ("shell_v2", "stat_v2", "ls_v2", "sendrecv_v2", "fixed_push_mkdir", "fixed_push_symlink_timestamp")
LOOPBACK = "127.0.0.1"


class VirtualPhone:
    """A phone whose files are below `root`, on a port (0: one that is free) of the loopback interface, or of `host`.

    With `authorized_keys` (files of public keys in Android's format) only their owners get in; with None anybody
    on this machine does. Use as a context manager, or call `start` and `stop`.
    """

    def __init__(
        self,
        root: Path,
        *,
        serial: str,
        port: int = 0,
        host: str = LOOPBACK,
        authorized_keys: Sequence[Path] | None = None,
        boot_s: float = 1.0,
        features: Sequence[str] = FEATURES,
    ) -> None:
        self.root = root.absolute()
        self.serial = serial
        self._port = port
        self._host = host
        self._keys = None if authorized_keys is None else AuthorizedKeys(authorized_keys)
        self._boot_s = boot_s
        self._banner = banner(serial, tuple(features))
        self._alias: Path | None = None
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._connections: set[Connection] = set()

    @property
    def port(self) -> int:
        return self._port

    @property
    def address(self) -> str:
        return f"{self._host}:{self._port}"

    def __enter__(self) -> "VirtualPhone":
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Boots: then clients can connect. Raises `ConfigError` for bad keys, `OSError` for a taken port."""
        if self._keys is not None:
            self._keys.check()
        install_firmware(self.root, self.serial)
        shell_root = self._shell_root()
        self._processes = ProcessTable(self.root, self._environment(shell_root))
        self._processes.kill_all()
        self._shell = ShellService(self.root, shell_root, self._processes)
        self._sync = SyncService(self.root)
        try:
            self._boot()
        except OSError:
            self.stop()
            raise

    def stop(self) -> None:
        """Switches off: no connection and no process is left. Safe to call twice."""
        self._stopped.set()
        self._hang_up()
        self._processes.kill_all()
        if self._alias is not None:
            shutil.rmtree(self._alias.parent, ignore_errors=True)
            self._alias = None

    def reboot(self) -> None:
        """Off at once, and on again after `boot_s`; returns before that."""
        log.info("phone %s reboots", self.serial)
        self._hang_up()
        self._processes.kill_all()
        threading.Thread(target=self._boot_later, name="boot", daemon=True).start()

    def _boot_later(self) -> None:
        if self._stopped.wait(self._boot_s):
            return
        state = rebooted_state(self.root)
        self._boot()
        if not state.boot_completed and not self._stopped.wait(state.boot_completion_s):
            change_state(self.root, boot_completed=True)

    def _boot(self) -> None:
        self._listen()
        self._processes.start_daemon(runner_server(self.root))

    def _listen(self) -> None:
        listener = socket.create_server((self._host, self._port), backlog=64)
        self._port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="accept", daemon=True).start()
        log.info("phone %s is up on %s, files in %s", self.serial, self.address, self.root)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:  # closed: off, or rebooting
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(client, banner=self._banner, keys=self._keys, find_service=self._find_service)
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), name="client", daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        try:
            connection.serve()
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _hang_up(self) -> None:
        if self._listener is not None:
            # close() alone leaves a thread in accept(), and with it the port.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.drop()

    def _find_service(self, destination: str) -> Service | None:
        name, _, argument = destination.partition(":")
        kind, *options = name.split(",")
        if kind == "shell" and "v2" in options:
            return partial(self._shell.run_v2, argument)
        if kind in ("shell", "exec"):
            return partial(self._shell.run_v1, argument)
        if name == "sync":
            return self._sync.run
        if name == "reboot":
            return self._reboot_service
        return None

    def _reboot_service(self, _: Stream) -> None:
        self.reboot()  # whether or not the client waits for it

    def _shell_root(self) -> Path:
        """A name of the root folder that can stand in a command's text unquoted."""
        if needs_no_quoting(self.root):
            return self.root
        self._alias = Path(tempfile.mkdtemp(prefix="paretofarm-phone-")) / "root"
        self._alias.symlink_to(self.root)
        return self._alias

    def _environment(self, shell_root: Path) -> dict[str, str]:
        return {
            "PATH": f"{shell_root / BIN}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(shell_root),
            "TMPDIR": str(shell_root / "data/local/tmp"),
            "LANG": "C.UTF-8",
            # By its marks the embedded stack finds what a phone that was killed has left.
            **{name: value for name, value in os.environ.items() if name.startswith("PARETOFARM_STACK_")},
        }
