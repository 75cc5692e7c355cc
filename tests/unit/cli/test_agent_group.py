"""Agents as phones come and go: every process is a real one that sleeps, ends or is killed; the clock is ours."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from services import wait_until

from cli.agents import AgentGroup, Notices
from device_agents.discovery.found import FoundPhone, Readiness
from paretofarm.errors import ConfigError


@dataclass
class Farm:
    """Starts `script` for every agent and remembers which."""

    script: str = "import signal; signal.pause()"
    started: list[tuple[str, int]] = field(default_factory=list)
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, address: str, place: int) -> "subprocess.Popen[bytes]":
        self.started.append((address, place))
        self.processes.append(subprocess.Popen([sys.executable, "-I", "-S", "-c", self.script]))
        return self.processes[-1]

    def await_end(self, number: int = -1) -> None:
        """Without reaping it: that is for the group to do."""
        wait_until(lambda: self._state(number) == "Z", what="the process to end")

    def freeze(self, number: int = -1) -> None:
        """It obeys nothing but SIGKILL from now on."""
        self.processes[number].send_signal(signal.SIGSTOP)
        wait_until(lambda: self._state(number) == "T", what="the process to stop")

    def _state(self, number: int) -> str:
        with open(f"/proc/{self.processes[number].pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0]


@pytest.fixture
def farm() -> Iterator[Farm]:
    farm = Farm()
    yield farm
    for process in farm.processes:
        process.kill()
        process.wait()


@pytest.fixture
def group(farm: Farm) -> AgentGroup:
    return AgentGroup((), farm.start)


def phone(serial: str, readiness: Readiness = Readiness.READY, *, address: str | None = None) -> FoundPhone:
    return FoundPhone(address or f"usb:{serial}", serial, readiness)


def test_each_phone_has_one_agent(group: AgentGroup, farm: Farm) -> None:
    for now in (0.0, 0.1, 0.2):
        group.tick([phone("A"), phone("B")], now)
    assert farm.started == [("usb:A", 0), ("usb:B", 1)]


def test_phone_that_is_not_ready_is_waited_for(group: AgentGroup, farm: Farm) -> None:
    group.tick([phone("A", Readiness.UNAUTHORIZED)], 0.0)
    assert farm.started == []
    group.tick([phone("A")], 0.1)
    group.tick([phone("A", Readiness.OFFLINE)], 0.2)
    assert group.agents["usb:A"].runs


def test_killed_agent_starts_again_later_and_later(group: AgentGroup, farm: Farm) -> None:
    now = 0.0
    delays = []
    for _ in range(3):
        group.tick([phone("A")], now)
        farm.processes[-1].send_signal(signal.SIGKILL)
        farm.await_end()
        group.tick([phone("A")], now)
        ended, count = now, len(farm.started)
        while len(farm.started) == count:
            now += 0.1
            group.tick([phone("A")], now)
        delays.append(round(now - ended, 1))
        assert group.agents["usb:A"].pid == farm.processes[-1].pid
    assert delays == [0.2, 1.0, 3.0]


def test_agent_that_ran_for_long_starts_again_at_once(group: AgentGroup, farm: Farm) -> None:
    group.tick([phone("A")], 0.0)
    farm.processes[0].kill()
    farm.await_end()
    group.tick([phone("A")], 3600.0)
    group.tick([phone("A")], 3600.3)
    assert len(farm.started) == 2


def test_unplugged_phone_ends_its_agent_and_comes_back_with_a_new_one(group: AgentGroup, farm: Farm) -> None:
    group.tick([phone("A")], 0.0)
    group.tick([], 2.9)
    assert group.agents["usb:A"].runs
    group.tick([], 3.1)
    farm.await_end()
    group.tick([], 3.2)
    assert group.agents == {}
    group.tick([phone("A")], 3.3)
    assert farm.started == [("usb:A", 0), ("usb:A", 0)]


def test_flapping_phone_keeps_its_agent(group: AgentGroup, farm: Farm) -> None:
    for second in range(60):
        group.tick([phone("A")] if second % 4 < 2 else [], float(second))
    assert len(farm.started) == 1


def test_phone_that_is_reached_another_way_never_has_two_agents(group: AgentGroup, farm: Farm) -> None:
    group.tick([phone("A")], 0.0)
    farm.freeze()
    moved = phone("A", address="server:A")
    group.tick([moved], 0.1)
    group.tick([moved], 0.2)
    assert farm.started == [("usb:A", 0)]
    farm.processes[0].kill()
    farm.await_end()
    group.tick([moved], 0.3)
    group.tick([moved], 0.4)
    assert farm.started == [("usb:A", 0), ("server:A", 0)]


def test_agent_that_does_not_end_is_killed(group: AgentGroup, farm: Farm) -> None:
    group.tick([phone("A")], 0.0)
    farm.freeze()
    group.tick([], 10.0)
    assert group.agents["usb:A"].runs
    group.tick([], 30.0)
    farm.await_end()
    group.tick([], 30.1)
    assert group.agents == {}


def test_mistake_of_the_users_is_not_repeated(group: AgentGroup, farm: Farm) -> None:
    farm.script = "raise SystemExit(2)"
    group.tick([phone("A"), phone("B")], 0.0)
    farm.await_end(0)
    farm.await_end(1)
    for now in (0.1, 100.0, 1000.0):
        group.tick([phone("A"), phone("B")], now)
    assert len(farm.started) == 2


def test_mistake_at_a_named_address_ends_all(farm: Farm) -> None:
    farm.script = "raise SystemExit(2)"
    group = AgentGroup(("127.0.0.1:5555",), farm.start)
    group.tick([], 0.0)
    farm.await_end()
    with pytest.raises(ConfigError, match=r"the agent of 127\.0\.0\.1:5555 ended with an error that only you can mend"):
        group.tick([], 0.1)


def test_named_address_is_kept_whatever_is_found(farm: Farm) -> None:
    group = AgentGroup(("127.0.0.1:5555", "127.0.0.1:5556"), farm.start)
    for now in (0.0, 100.0):
        group.tick([], now)
    assert farm.started == [("127.0.0.1:5555", 0), ("127.0.0.1:5556", 1)]
    group.stop()
    assert all(process.poll() is not None for process in farm.processes)


def test_what_to_do_is_said_once_per_change(caplog: pytest.LogCaptureFixture) -> None:
    notices = Notices()
    for found in ([], [], [phone("A", Readiness.UNAUTHORIZED)], [phone("A", Readiness.UNAUTHORIZED)], [phone("A")], []):
        notices.tell(found, lambda: "no phone is attached: plug one in")
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said[0] == said[2] == "no phone is attached: plug one in; waiting for one"
    assert said[1].startswith("phone A (usb:A) is unauthorized: unlock the phone and tap") and len(said) == 3
