"""A phone is left and found clean: orphans of ours are killed, other benchmarks are seen, networks stay in bounds."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from services import wait_until

from device_agents.link import open_link
from device_agents.phone import HOME, NETWORKS, Phone
from device_agents.virtual_phone.phone import VirtualPhone
from device_agents.virtual_phone.state import change_state
from paretofarm.phone_health import PhoneState


@pytest.fixture
def virtual(tmp_path: Path) -> Iterator[VirtualPhone]:
    with VirtualPhone(tmp_path / "root", serial="clean", port=0, boot_s=0.05) as virtual:
        yield virtual


@pytest.fixture
def phone(virtual: VirtualPhone, tmp_path: Path) -> Iterator[Phone]:
    phone = Phone(open_link(virtual.address, tmp_path / "adbkey"))
    phone.shares_processors = True
    phone.prepare()
    yield phone
    phone.link.close()


def left_behind(phone: Phone) -> int:
    """Id of a process that a job which is gone has left in its folder, out of reach of its process group."""
    folder = phone.job_folder("7-1")
    started = phone.link.run(
        ["sh", "-c", "setsid sleep 3600 >/dev/null 2>&1 </dev/null & echo $!"], timeout_s=5, directory=folder
    )
    return int(started.stdout)


def test_an_orphan_does_not_survive_a_sweep(phone: Phone) -> None:
    pid = left_behind(phone)
    assert psutil.pid_exists(pid)
    assert phone.sweep() >= 1
    wait_until(lambda: not is_running(pid), 5, "the orphan's end")
    assert phone.sweep() == 0


def test_nor_an_agents_start_even_when_its_folder_is_gone(phone: Phone) -> None:
    pid = left_behind(phone)
    phone.remove(f"{HOME}/jobs/7-1")
    phone.prepare()
    wait_until(lambda: not is_running(pid), 5, "the orphan's end")
    assert phone.fault() is None


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_another_benchmark_keeps_us_from_measuring(virtual: VirtualPhone, phone: Phone) -> None:
    assert phone.fault() is None
    change_state(virtual.root, processes=["com.android.systemui", "qnn-net-run"])
    fault = phone.fault()
    assert fault is not None
    assert (fault.state, fault.reason) == (PhoneState.UNHEALTHY, "another benchmark runs: qnn-net-run (40001)")


def test_a_real_runner_of_somebody_elses_is_seen_and_left_alone(phone: Phone, tmp_path: Path) -> None:
    """Not in our folder, so not ours. (It waits for a network that is a pipe.)"""
    job = phone.link.start(
        ["sh", "-c", "mkfifo pipe; exec onnxruntime_run --model m --input_list pipe --output_dir o"],
        folder="/data/local/tmp/elsewhere",
    )
    wait_until(lambda: phone.fault() is not None, 10, "the other benchmark")
    fault = phone.fault()
    assert fault is not None and "onnxruntime_run (" in fault.reason
    assert phone.sweep() == 0
    phone.link.kill(job)
    wait_until(lambda: phone.fault() is None, 10, "its end")


def test_networks_that_are_too_many_go_before_another_one_comes(phone: Phone, tmp_path: Path) -> None:
    network = tmp_path / "network"
    network.write_bytes(b"x")
    phone.link.run(["sh", "-c", f"cd {NETWORKS}; for i in $(seq 100 140); do mkdir n$i; done"], timeout_s=5)
    phone.put_network({"network": network}, "a" * 64)
    listed = phone.link.run(["ls", NETWORKS], timeout_s=5).stdout.split()
    assert len(listed) == 32
    assert "a" * 64 in listed
    phone.make_room()
    assert phone.link.run(["ls", NETWORKS], timeout_s=5).stdout.split() == []


def test_a_phone_that_boots_says_so_before_it_has(virtual: VirtualPhone, phone: Phone) -> None:
    change_state(virtual.root, boot_completion_s=0.3, thermal_status=2, after_reboot={"thermal_status": 0})
    assert phone.fault().state is PhoneState.COOLING  # type: ignore[union-attr]
    phone.link.reboot()
    seen = []
    wait_until(lambda: seen.append(phone.fault()) or seen[-1] is None, 10, "the boot")  # type: ignore[func-returns-value]
    states = [fault.state for fault in seen if fault]
    assert PhoneState.BOOTING in states
    assert set(states) <= {PhoneState.OFFLINE, PhoneState.BOOTING}


def test_the_log_and_the_clock_can_be_read(virtual: VirtualPhone, phone: Phone) -> None:
    change_state(virtual.root, logcat="E/adsprpc: 14001\n")
    assert phone.log_since(phone.clock()).endswith("E/adsprpc: 14001\n")
