"""`paretofarm agent` beside Google's own adb server: phones come and go, and so do their agents."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from adb_server_process import AdbServer, running_adb_server
from phone_processes import PhoneProcess, start_virtual_phone
from services import wait_until

from db.phones import Phone, PhoneState, list_phones
from db.session import Database
from device_agents.link.keys import ensure_key_pair

PATIENCE_S = 60.0
Environment = dict[str, str]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AdbServer]:
    key = ensure_key_pair(tmp_path / "server-key")
    with running_adb_server(tmp_path / "home", [key]) as server:
        yield server


@pytest.fixture
def environment(tmp_path: Path, database_url: str, broker_url: str, server: AdbServer) -> Environment:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PARETOFARM_")}
    return {
        **own,
        **server.place.environment(),
        "HOME": str(tmp_path),
        "PARETOFARM_DATABASE_URL": database_url,
        "PARETOFARM_BROKER_URL": broker_url,
        "PARETOFARM_ARTIFACTS": str(tmp_path / "artifacts"),
        "PARETOFARM_DATA": str(tmp_path / "data"),
    }


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "agent.log"


@pytest.fixture
def agent(environment: Environment, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-P", "-m", "cli", "agent"], env=environment, stderr=output)
    yield process
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0, log.read_text()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.dispose()


@pytest.fixture
def start_phone(tmp_path: Path) -> Iterator[Callable[..., PhoneProcess]]:
    phones: list[PhoneProcess] = []

    def start(name: str, *options: str, serial: str | None = None) -> PhoneProcess:
        phones.append(start_virtual_phone(tmp_path / name, *options, serial=serial or name))
        return phones[-1]

    yield start
    for phone in phones:
        phone.stop()


def phones(database: Database) -> dict[str, Phone]:
    with database.transaction() as session:
        return {phone.facts.serial: phone for phone in list_phones(session)}


def await_ready(database: Database, *serials: str) -> dict[str, Phone]:
    def ready() -> bool:
        found = phones(database)
        return all(serial in found and found[serial].state is PhoneState.READY for serial in serials)

    wait_until(ready, PATIENCE_S, f"{serials} to be ready")
    return phones(database)


def await_line(log: Path, text: str) -> None:
    wait_until(lambda: text in log.read_text(), PATIENCE_S, f"{text!r} in the log")


def pid_of(phone: Phone) -> int:
    return int(phone.agent.rpartition("-")[2])


def test_phones_are_found_served_and_let_go(
    agent: "subprocess.Popen[bytes]",
    log: Path,
    server: AdbServer,
    database: Database,
    start_phone: Callable[..., PhoneProcess],
) -> None:
    await_line(log, "no phone is attached: plug one in and switch on USB debugging")
    first, second = start_phone("FIRST"), start_phone("SECOND")
    server.connect(first.address)
    server.connect(second.address)
    found = await_ready(database, "FIRST", "SECOND")
    assert found["FIRST"].facts.address == f"server:{first.address}"
    assert found["FIRST"].facts.simulated and found["FIRST"].facts.device == "virtual"

    # Killed: another takes its place.
    killed = pid_of(found["FIRST"])
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: pid_of(phones(database)["FIRST"]) != killed, PATIENCE_S, "a new agent")
    assert pid_of(phones(database)["SECOND"]) == pid_of(found["SECOND"])

    # Unplugged: its agent ends, the other stays; plugged in again: it is served again.
    gone = psutil.Process(pid_of(phones(database)["SECOND"]))
    server.disconnect(second.address)
    gone.wait(PATIENCE_S)
    assert phones(database)["SECOND"].state is not PhoneState.READY
    assert psutil.pid_exists(pid_of(phones(database)["FIRST"]))
    server.connect(second.address)
    assert pid_of(await_ready(database, "SECOND")["SECOND"]) != gone.pid


def test_what_needs_a_hand_is_named_and_phones_of_one_serial_are_two(
    agent: "subprocess.Popen[bytes]",
    log: Path,
    server: AdbServer,
    database: Database,
    tmp_path: Path,
    start_phone: Callable[..., PhoneProcess],
) -> None:
    keys = ensure_key_pair(tmp_path / "another-key").with_suffix(".pub")
    locked = start_phone("LOCKED", "--require-auth", str(keys), serial="TWIN")
    server.connect(locked.address)
    await_line(log, f"phone {locked.address} (server:{locked.address}) is unauthorized: unlock the phone and tap")
    assert phones(database) == {}
    twin = start_phone("TWIN")
    server.connect(twin.address)
    await_ready(database, "TWIN")
    # Somebody taps “Allow”.
    keys.write_text(f"{(tmp_path / 'server-key.pub').read_text()}\n")
    server.disconnect(locked.address)
    server.connect(locked.address)
    wait_until(lambda: len(phones(database)) == 2, PATIENCE_S, "both phones")
    assert [serial.partition("~")[0] for serial in phones(database)] == ["TWIN", "TWIN"]


def test_phones_are_listed_with_what_they_need(
    environment: Environment, server: AdbServer, start_phone: Callable[..., PhoneProcess], tmp_path: Path
) -> None:
    def listed(*options: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-P", "-m", "cli", "agent", "--list", *options]
        return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=PATIENCE_S)

    none = listed()
    assert (none.returncode, none.stdout) == (1, "") and none.stderr.startswith("no phone is attached: plug one in")
    locked = start_phone("LOCKED", "--require-auth", f"{ensure_key_pair(tmp_path / 'another-key')}.pub")
    server.connect(locked.address)
    unusable = listed()
    assert unusable.returncode == 1
    assert unusable.stdout.startswith(f"server:{locked.address}\t{locked.address}\tunauthorized\tunlock the phone")
    ready = start_phone("OPEN")
    server.connect(ready.address)
    assert listed().returncode == 0
    chosen = listed("--serial", ready.address)
    assert (chosen.returncode, chosen.stdout) == (0, f"server:{ready.address}\t{ready.address}\tready\n")
