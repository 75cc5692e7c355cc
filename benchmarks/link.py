"""What the link to a phone costs beside Google's own adb: a trivial command, and a push of 30 MB.

Run: python -m benchmarks.link. Phones are AOSP's adbd on loopback (tests/tools/adbd), reached directly and through
Google's adb server, which is started on a free port with a home of its own. All ways take turns, so that whatever
else the machine does disturbs all alike.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/contracts"))

import adbutils
from adb_server_process import AdbServer, running_adb_server
from phone_processes import PhoneProcess, fetch_adbd, google_adb, start_adbd

from device_agents.link import open_channel, open_link
from device_agents.link.channel import Channel
from paretofarm.ports import DeviceLink

COMMAND_ROUNDS = 200
PUSH_ROUNDS = 15
FILE_BYTES = 30_000_000
GOOGLE = "Google's adb"
LIBRARY = "adbutils"
TCP = "ours, TCP"
SERVER = "ours, through the adb server"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        phone = start_adbd(fetch_adbd(), folder)
        try:
            with running_adb_server(folder / "home") as server:
                server.connect(phone.address)
                _measure(phone, server, folder)
        finally:
            phone.stop()


def _measure(phone: PhoneProcess, server: AdbServer, folder: Path) -> None:
    links = {
        TCP: open_link(phone.address, folder / "adbkey"),
        SERVER: open_link(f"server:{phone.address}", server=server.place),
    }
    library = adbutils.AdbClient(server.place.host, server.place.port).device(phone.address)
    _say(f"a trivial command, median (10th–90th percentile) of {COMMAND_ROUNDS}:")
    commands: dict[str, Callable[[], object]] = {name: _command(link) for name, link in links.items()}
    commands[LIBRARY] = lambda: library.shell2("true", v2=True)
    _report(commands, COMMAND_ROUNDS, "ms", 1e3)
    commands = {GOOGLE: lambda: _adb(server, phone, "shell", "true")}
    _report(commands, COMMAND_ROUNDS // 10, "ms", 1e3)

    content = folder / "network.onnx"
    content.write_bytes(os.urandom(FILE_BYTES))
    channels = {
        TCP: open_channel(phone.address, folder / "adbkey", authorization_wait_s=1),
        SERVER: open_channel(f"server:{phone.address}", folder / "adbkey", authorization_wait_s=1, server=server.place),
    }
    _say(f"30 MB sent, as `adb push` does, median (10th–90th percentile) of {PUSH_ROUNDS}:")
    sends: dict[str, Callable[[], object]] = {
        name: _send(channel, content, folder) for name, channel in channels.items()
    }
    sends[LIBRARY] = lambda: library.sync.push(content, f"{folder}/by-library")
    sends[GOOGLE] = lambda: _adb(server, phone, "push", str(content), f"{folder}/by-google")
    _compare(_report(sends, PUSH_ROUNDS, "s", 1.0))
    _say("30 MB pushed as agents do (free space, SHA-256 on the phone, then its name), beside `adb push` and a sum:")
    pushes: dict[str, Callable[[], object]] = {name: _push(link, content, folder) for name, link in links.items()}
    pushes[GOOGLE] = lambda: _push_and_sum(server, phone, content, folder)
    _compare(_report(pushes, PUSH_ROUNDS, "s", 1.0))
    for link in links.values():
        link.close()
    for channel in channels.values():
        channel.close()


def _compare(seconds: Mapping[str, list[float]]) -> None:
    for name in seconds.keys() - {GOOGLE}:
        ratios = [ours / google for ours, google in zip(seconds[name], seconds[GOOGLE], strict=True)]
        _say(f"  {name}: {statistics.median(ratios):.2f} × {GOOGLE}")


def _command(link: DeviceLink) -> Callable[[], object]:
    return lambda: link.run(["true"], timeout_s=10)


def _send(channel: Channel, content: Path, folder: Path) -> Callable[[], object]:
    return lambda: channel.send(content, f"{folder}/by-us", mode=0o100644, size=FILE_BYTES)


def _push(link: DeviceLink, content: Path, folder: Path) -> Callable[[], object]:
    return lambda: link.push(content, f"{folder}/by-us")


def _push_and_sum(server: AdbServer, phone: PhoneProcess, content: Path, folder: Path) -> None:
    _adb(server, phone, "push", str(content), f"{folder}/by-google")
    _adb(server, phone, "shell", f"sha256sum {folder}/by-google")


def _adb(server: AdbServer, phone: PhoneProcess, *words: str) -> None:
    argv = [str(google_adb()), "-s", phone.address, *words]
    subprocess.run(argv, env=server.environment, check=True, capture_output=True, timeout=120)


def _report(
    ways: Mapping[str, Callable[[], object]], rounds: int, unit: str, per_second: float
) -> dict[str, list[float]]:
    """Runs all ways in turn, after one round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, action in ways.items():
            started = time.perf_counter()
            action()
            if number:
                times[name].append(time.perf_counter() - started)
    for name, taken in times.items():
        low, *_, high = statistics.quantiles(taken, n=10)
        middle, low, high = (value * per_second for value in (statistics.median(taken), low, high))
        _say(f"  {name}: {middle:.2f} {unit} ({low:.2f}–{high:.2f})")
    return times


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
