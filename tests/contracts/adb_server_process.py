"""Google's adb server as a process of its own: never the user's, on a free port, with a home of its own."""

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from phone_processes import clean_environment, free_port, google_adb

from device_agents.link.server_place import ServerPlace

WAIT_S = 20.0


@dataclass
class AdbServer:
    """It sees no USB and looks for no emulators: phones are connected by `connect`."""

    place: ServerPlace
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        argv = [str(google_adb()), "-P", str(self.place.port), "server", "nodaemon"]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(argv, env=self.environment, stdin=quiet, stdout=quiet, stderr=quiet)
        deadline = time.monotonic() + WAIT_S
        while not self._listens():
            assert self.process.poll() is None, f"the adb server ended with exit code {self.process.returncode}"
            assert time.monotonic() < deadline, "the adb server did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(WAIT_S)

    def connect(self, address: str) -> str:
        return self._adb("connect", address)

    def disconnect(self, address: str) -> str:
        return self._adb("disconnect", address)

    def _adb(self, *words: str) -> str:
        argv = [str(google_adb()), *words]
        done = subprocess.run(argv, env=self.environment, capture_output=True, text=True, timeout=WAIT_S)
        return done.stdout.strip()

    def _listens(self) -> bool:
        try:
            socket.create_connection((self.place.host, self.place.port), timeout=1).close()
        except OSError:
            return False
        return True


@contextmanager
def running_adb_server(home: Path, keys: Sequence[Path] = ()) -> Iterator[AdbServer]:
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    server = AdbServer(ServerPlace(port=port), clean_environment(home, port, keys))
    server.start()
    try:
        yield server
    finally:
        server.stop()
