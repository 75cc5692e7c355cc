"""The stack as a process of its own: interrupted, killed, started twice, run by an ordinary user."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from services import is_alive, wait_until
from sqlalchemy import NullPool, create_engine, text

from cli.local_stack import find_running_stack
from cli.stack.guardian import marked_processes
from cli.stack.identity import Identity, choose_identity, hand_over, launch_command

DRIVER = Path(__file__).with_name("stack_driver.py")
GONE_S = 2.0
SLEEP = "import time; time.sleep(600)"


@dataclass
class RunningStack:
    """A driver that has said what it runs. `family` is everything below it, the escaped grandchild too."""

    driver: "subprocess.Popen[str]"
    url: str
    user: int
    family: list[psutil.Process]

    @property
    def guardians(self) -> list[psutil.Process]:
        return [process for process in self.family if any("guardian.py" in word for word in command_line(process))]

    def left(self) -> list[psutil.Process]:
        return [process for process in self.family if is_alive(process)]

    def wait_until_gone(self) -> None:
        deadline = time.monotonic() + GONE_S
        while self.left() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert self.left() == []


def command_line(process: psutil.Process) -> list[str]:
    """Empty for one that has ended."""
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


class Launcher:
    """Starts drivers and cleans up behind a failing test."""

    def __init__(self) -> None:
        self._cleanup = ExitStack()
        self._started: list[RunningStack] = []

    def start(self, stack_folder: Path, *, identity: Identity = Identity.SAME) -> RunningStack:
        driver = self.spawn(stack_folder, identity)
        assert driver.stdout is not None
        said = json.loads(driver.stdout.readline() or self._complain(driver))
        self._wait_for_grandchild(stack_folder / "logs" / "worker.log", said["pids"]["worker"])
        family = psutil.Process(driver.pid).children(recursive=True)
        self._started.append(RunningStack(driver, said["url"], said["user"], family))
        return self._started[-1]

    def spawn(self, stack_folder: Path, identity: Identity = Identity.SAME) -> "subprocess.Popen[str]":
        command = launch_command([sys.executable, str(DRIVER), str(stack_folder)], identity=identity)
        driver = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        self._cleanup.enter_context(driver)
        self._cleanup.callback(driver.kill)
        return driver

    def close(self) -> None:
        """The folder is the next test's: nobody may be left in it."""
        self._cleanup.close()
        for running in self._started:
            running.wait_until_gone()

    def _wait_for_grandchild(self, log: Path, worker: int) -> None:
        def announced() -> bool:
            last = log.read_text().split()[-1:]
            return last in [[str(child.pid)] for child in psutil.Process(worker).children()]

        wait_until(announced, what="the worker's own child")

    def _complain(self, driver: "subprocess.Popen[str]") -> str:
        pytest.fail(f"the stack did not start: {driver.communicate(timeout=10)[1]}")


@pytest.fixture
def launcher() -> Iterator[Launcher]:
    made = Launcher()
    yield made
    made.close()


def read_row(url: str) -> object:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        return connection.execute(text("SELECT x FROM kept")).scalar()


def test_ctrl_c_ends_everything_in_order(launcher: Launcher, stack_folder: Path) -> None:
    running = launcher.start(stack_folder)
    os.killpg(running.driver.pid, signal.SIGINT)
    _, complaints = running.driver.communicate(timeout=15)
    assert (running.driver.returncode, complaints) == (0, "")
    running.wait_until_gone()
    assert "database system is shut down" in (stack_folder / "logs" / "postgres.log").read_text()
    assert not (stack_folder / "run").exists()


def test_a_killed_stack_leaves_nothing_and_the_next_has_its_rows(launcher: Launcher, stack_folder: Path) -> None:
    running = launcher.start(stack_folder)
    running.driver.kill()
    running.wait_until_gone()
    assert find_running_stack(stack_folder) is None
    assert read_row(launcher.start(stack_folder).url) == 42


def test_a_stack_killed_with_its_guardian_is_cleared_by_the_next(launcher: Launcher, stack_folder: Path) -> None:
    """The servers and the processes go at once; what has left their sessions is found by its mark."""
    running = launcher.start(stack_folder)
    (guardian,) = running.guardians
    escaped = next(process for process in running.family if process.cmdline()[-1] == SLEEP)
    running.driver.send_signal(signal.SIGSTOP)  # it must not notice and start another
    guardian.kill()
    running.driver.kill()
    others = [process for process in running.family if process != escaped]
    wait_until(lambda: not any(map(is_alive, others)), GONE_S, "servers and worker to end")
    assert is_alive(escaped)
    assert read_row(launcher.start(stack_folder).url) == 42
    running.wait_until_gone()


def test_a_killed_guardian_is_replaced(launcher: Launcher, stack_folder: Path) -> None:
    running = launcher.start(stack_folder)
    (first,) = running.guardians
    first.kill()

    def replaced() -> bool:
        children = [child for child in psutil.Process(running.driver.pid).children() if child != first]
        return any("guardian.py" in word for child in children for word in command_line(child))

    wait_until(replaced, 5, "another guardian")
    running.driver.kill()
    running.wait_until_gone()


def test_a_killed_worker_takes_its_whole_family_along(launcher: Launcher, stack_folder: Path) -> None:
    running = launcher.start(stack_folder)
    state = find_running_stack(stack_folder)
    assert state is not None
    before = {psutil.Process(pid) for pid in marked_processes(f"{state.stack_id}.worker.")}
    assert len(before) == 2
    leader = next(process for process in before if process.ppid() == running.driver.pid)
    leader.kill()
    wait_until(lambda: not any(map(is_alive, before)), 5, "worker and child to end")
    wait_until(lambda: len(list(marked_processes(f"{state.stack_id}.worker."))) == 2, 5, "worker and child to start")


def test_a_second_stack_on_the_same_folder_gets_one_clear_line(launcher: Launcher, stack_folder: Path) -> None:
    running = launcher.start(stack_folder)
    second = launcher.spawn(stack_folder)
    _, complaints = second.communicate(timeout=15)
    assert second.returncode == 1
    expected = f"paretofarm already runs in {stack_folder} (process {running.driver.pid}): stop it first\n"
    assert complaints == expected
    assert running.left() == running.family


def test_an_ordinary_user_can_run_it(launcher: Launcher, copied_stack_folder: Path) -> None:
    """Root becomes one first: in a user namespace where that is allowed, else for good."""
    identity = choose_identity()
    hand_over(copied_stack_folder, identity)
    running = launcher.start(copied_stack_folder, identity=identity)
    assert running.user != 0
    os.killpg(running.driver.pid, signal.SIGINT)
    assert running.driver.wait(15) == 0
    running.wait_until_gone()
    assert read_row(launcher.start(copied_stack_folder, identity=identity).url) == 42
