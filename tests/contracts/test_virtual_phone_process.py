"""The virtual phone as a process: how it starts, stops, and what it leaves behind."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from device_link_contract import await_end, await_number
from phone_processes import PhoneProcess, start_virtual_phone

from device_agents.link import open_link
from device_agents.virtual_phone.processes import MARK
from paretofarm.ports import DeviceLink


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[PhoneProcess]:
    phone = start_virtual_phone(tmp_path / "phone")
    yield phone
    phone.stop()


@pytest.fixture
def link(phone: PhoneProcess, tmp_path: Path) -> Iterator[DeviceLink]:
    link = open_link(phone.address, tmp_path / "adbkey")
    yield link
    link.close()


def busy(link: DeviceLink, prefix: str = "") -> tuple[int, int]:
    """Starts a job with a child that has left its group and tells its number itself; both process ids."""
    script = f"{prefix} setsid sh -c 'echo $$ >child; exec sleep 300' & wait"
    job = link.start(["sh", "-c", script], folder="/data/local/tmp/job")
    return job.process_group, await_number(link, "/data/local/tmp/job/child")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_cleanly_and_takes_its_processes_along(
    phone: PhoneProcess, link: DeviceLink, number: signal.Signals
) -> None:
    pids = busy(link)
    phone.process.send_signal(number)
    assert phone.process.wait(timeout=5) == 0
    await_end(*pids)


def test_takes_a_process_along_that_lost_its_mark(phone: PhoneProcess, link: DeviceLink) -> None:
    pids = busy(link, "env -i")
    assert MARK not in psutil.Process(pids[1]).environ()
    phone.process.send_signal(signal.SIGTERM)
    assert phone.process.wait(timeout=5) == 0
    await_end(*pids)


def test_next_start_ends_what_a_killed_phone_left(phone: PhoneProcess, link: DeviceLink) -> None:
    pids = busy(link)
    phone.kill()
    assert all(psutil.pid_exists(pid) for pid in pids)
    phone.restart()
    await_end(*pids)


def test_dies_with_its_parent_and_takes_its_processes_along(tmp_path: Path) -> None:
    starter = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-m', 'device_agents.virtual_phone', '--root',"
        f" {str(tmp_path / 'phone')!r}, '--die-with-parent', '--ready-fd', '1']); print(p.pid, flush=True); p.wait()"
    )
    parent = subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert parent.stdout is not None
    with parent.stdout:
        numbers = [int(parent.stdout.readline()), int(parent.stdout.readline())]
    phone, port = sorted(numbers, key=psutil.pid_exists, reverse=True)
    link = open_link(f"127.0.0.1:{port}", tmp_path / "adbkey")
    pids = busy(link)
    parent.kill()
    parent.wait(timeout=5)
    await_end(phone, *pids)
    link.close()


def test_taken_port_is_one_clear_line(phone: PhoneProcess, tmp_path: Path) -> None:
    port = phone.address.rpartition(":")[2]
    argv = [sys.executable, "-m", "device_agents.virtual_phone", "--root", str(tmp_path / "other"), "--port", port]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and f"port {port}" in done.stderr


def test_damaged_key_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_text("not a key\n")
    argv = [sys.executable, "-m", "device_agents.virtual_phone", "--root", str(tmp_path / "other")]
    done = subprocess.run(
        [*argv, "--require-auth", str(tmp_path / "key.pub")], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "key.pub" in done.stderr


def test_listens_on_loopback_only(phone: PhoneProcess) -> None:
    listening = [c.laddr.ip for c in psutil.Process(phone.process.pid).net_connections() if c.status == "LISTEN"]
    assert listening == ["127.0.0.1"]


def test_phones_do_not_see_each_other(phone: PhoneProcess, link: DeviceLink, tmp_path: Path) -> None:
    other = start_virtual_phone(tmp_path / "other", serial="OTHER")
    other_link = open_link(other.address, tmp_path / "adbkey")
    pids = busy(link)
    link.run(["touch", "/data/local/tmp/mine"], timeout_s=5)
    assert other_link.run(["ls", "/data/local/tmp"], timeout_s=5).stdout == ""
    assert other_link.properties()["ro.serialno"] == "OTHER"
    other_link.close()
    other.stop()
    assert all(psutil.pid_exists(pid) for pid in pids)


def test_idle_phone_takes_no_processor_time(phone: PhoneProcess, link: DeviceLink) -> None:
    """Latencies are taken on the same cores: waiting must be free, also for a command that says nothing."""
    link.run(["true"], timeout_s=5)
    before = psutil.Process(phone.process.pid).cpu_times()
    link.run(["sleep", "0.5"], timeout_s=5)
    after = psutil.Process(phone.process.pid).cpu_times()
    assert after.user + after.system - before.user - before.system < 0.1
