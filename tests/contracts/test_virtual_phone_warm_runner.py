"""The virtual phone's runner is forked by a warm server: users see the program, whatever becomes of either."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from one_convolution import network
from phone_processes import start_virtual_phone

from device_agents.link import open_link
from device_agents.virtual_phone.phone import VirtualPhone
from device_agents.virtual_phone.processes import MARK
from paretofarm.errors import PhoneOffline
from paretofarm.ports import DeviceLink

FOLDER = "/data/local/tmp/job"
ENDLESS = ["onnxruntime_perf_test", "-m", "duration", "-t", "300", "-e", "cpu", "-I", "net.onnx"]
ONCE = ["onnxruntime_perf_test", "-m", "times", "-r", "1", "-e", "cpu", "-I", "net.onnx"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def link(root: Path, tmp_path: Path) -> Iterator[DeviceLink]:
    phone = start_virtual_phone(root, "--boot-seconds", "0.2")
    link = open_link(phone.address, tmp_path / "adbkey")
    link.push(network(tmp_path / "net.onnx", 8), f"{FOLDER}/net.onnx")
    yield link
    link.close()
    phone.stop()


def servers(root: Path) -> list[psutil.Process]:
    """The phone's warm server and its children."""
    return [process for process in psutil.process_iter() if _is_server(process, root)]


def _is_server(process: psutil.Process, root: Path) -> bool:
    try:
        return process.environ().get(MARK) == str(root) and "serve(" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def once(link: DeviceLink) -> int:
    return link.run(ONCE, timeout_s=60, directory=FOLDER).exit_code


def test_runs_in_a_child_of_the_server(link: DeviceLink, root: Path) -> None:
    assert once(link) == 0
    job = link.start(ENDLESS, folder=FOLDER)
    while not (running := [child for server in servers(root) for child in server.children()]):
        assert link.poll(job) is None
    link.kill(job)
    assert psutil.wait_procs(running, timeout=5)[1] == []


def test_a_killed_child_reads_as_a_killed_program(link: DeviceLink, root: Path) -> None:
    once(link)

    def kill() -> None:
        (server,) = servers(root)
        while not (children := server.children()):
            pass
        for child in children:
            child.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    assert link.run(ENDLESS, timeout_s=30, directory=FOLDER).exit_code == 137
    killer.join()


def test_without_its_server_the_program_runs_all_the_same(link: DeviceLink, root: Path) -> None:
    once(link)
    (server,) = servers(root)
    server.kill()
    while server.is_running() and server.status() != psutil.STATUS_ZOMBIE:
        pass
    assert once(link) == 0
    assert link.run(["onnxruntime_perf_test", "-Q"], timeout_s=30).exit_code == 255


def test_a_killed_phone_leaves_no_server(tmp_path: Path) -> None:
    phone = start_virtual_phone(tmp_path / "root")
    while not (left := servers(tmp_path / "root")):
        assert phone.process.poll() is None
    phone.kill()
    assert psutil.wait_procs(left, timeout=10)[1] == []


def test_a_phone_that_cannot_start_leaves_nothing(link: DeviceLink, tmp_path: Path) -> None:
    port = int(link.serial.rpartition(":")[2])
    with pytest.raises(OSError):
        VirtualPhone(tmp_path / "other", serial="other", port=port).start()
    assert servers(tmp_path / "other") == []


def test_a_reboot_ends_the_server_and_starts_another(link: DeviceLink, root: Path) -> None:
    once(link)
    (before,) = servers(root)
    link.reboot()
    psutil.wait_procs([before], timeout=5)
    while not (after := servers(root)):
        assert not before.is_running()
    assert after[0].pid != before.pid
    while True:
        try:
            assert once(link) == 0
            break
        except PhoneOffline as error:
            assert re.search("does not answer", str(error))
