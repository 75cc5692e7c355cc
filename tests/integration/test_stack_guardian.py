"""The guardian by itself: all there is where the system knows no death signal."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.stack import guardian
from cli.stack.guardian import MARK

SLEEP = [sys.executable, "-I", "-S", "-c", "import time; print('runs', flush=True); time.sleep(600)"]


@pytest.fixture
def watcher() -> Iterator["subprocess.Popen[str]"]:
    argv = [sys.executable, "-I", "-S", str(Path(guardian.__file__)), "mark-of-this-test"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, text=True, bufsize=1, start_new_session=True) as process:
        yield process
        process.kill()


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[str]"]:
    yield from running({})


@pytest.fixture
def marked() -> Iterator["subprocess.Popen[str]"]:
    yield from running({MARK: "mark-of-this-test.worker."})


def running(environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        SLEEP, stdout=subprocess.PIPE, text=True, start_new_session=True, env={**os.environ, **environment}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "runs\n"
        yield process
        process.kill()


def say(watcher: "subprocess.Popen[str]", *lines: str) -> None:
    assert watcher.stdin is not None
    for line in lines:
        watcher.stdin.write(line + "\n")


def test_at_a_sudden_end_groups_get_their_signal(
    watcher: "subprocess.Popen[str]", sleeper: "subprocess.Popen[str]"
) -> None:
    say(watcher, f"+{sleeper.pid} 15")
    watcher.communicate(timeout=10)
    assert sleeper.wait(5) == -15


def test_at_a_sudden_end_marked_processes_are_killed_wherever_they_are(
    watcher: "subprocess.Popen[str]", marked: "subprocess.Popen[str]", sleeper: "subprocess.Popen[str]"
) -> None:
    watcher.communicate(timeout=10)
    assert marked.wait(5) == -9
    assert sleeper.poll() is None


def test_a_group_that_has_ended_is_left_alone(
    watcher: "subprocess.Popen[str]", sleeper: "subprocess.Popen[str]"
) -> None:
    say(watcher, f"+{sleeper.pid} 15", f"-{sleeper.pid}")
    watcher.communicate(timeout=10)
    assert sleeper.poll() is None


def test_an_orderly_end_kills_nobody(
    watcher: "subprocess.Popen[str]", sleeper: "subprocess.Popen[str]", marked: "subprocess.Popen[str]"
) -> None:
    say(watcher, f"+{sleeper.pid} 15", "bye")
    watcher.communicate(timeout=10)
    assert (sleeper.poll(), marked.poll()) == (None, None)
