"""A runner's peak memory, read on the virtual phone and on AOSP's daemon while it runs."""

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from device_link_contract import await_end
from phone_processes import fetch_adbd, start_adbd, start_virtual_phone

from device_agents.link import open_link
from device_agents.runtimes.watched_run import watched_run
from paretofarm.errors import AdbTimeout
from paretofarm.ports import CommandResult, DeviceLink

MEGABYTES = 96
GREEDY = f"""
import os, sys, time
print("first"); sys.stderr.write(os.environ.get("WORD", "no word"))
block = b"x" * ({MEGABYTES} << 20)
time.sleep(0.2)  # a busy machine does not look every 20 ms
del block
sys.stdout.write("last")
sys.stdout.flush()
if len(sys.argv) > 1: os.kill(os.getpid(), int(sys.argv[1]))
sys.exit(7)
"""


@pytest.fixture(scope="module", params=["virtual phone", "adbd"])
def link(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviceLink]:
    folder = tmp_path_factory.mktemp("phone")
    is_ours = request.param == "virtual phone"
    phone = start_virtual_phone(folder / "root") if is_ours else start_adbd(fetch_adbd(), folder)
    link = open_link(phone.address, tmp_path_factory.mktemp("key") / "adbkey")
    yield link
    link.close()
    phone.stop()


def run(link: DeviceLink, *argv: str, **options: object) -> tuple[CommandResult, int | None]:
    return watched_run(link, argv, **{"timeout_s": 60.0, "watch": True, **options})  # type: ignore[arg-type]


def test_what_was_given_back_counts_too(link: DeviceLink) -> None:
    result, peak = run(link, sys.executable, "-c", GREEDY, environment={"WORD": "a word; $(id)"})
    assert (result.exit_code, result.stdout, result.stderr) == (7, "first\nlast", "a word; $(id)")
    assert peak is not None
    assert MEGABYTES * 2**20 < peak < (MEGABYTES + 64) * 2**20


def test_a_runner_that_is_killed_has_its_own_exit_code(link: DeviceLink) -> None:
    result, peak = run(link, sys.executable, "-c", GREEDY, "9")
    assert (result.exit_code, result.stdout) == (137, "first\nlast")
    assert peak is not None and peak > MEGABYTES * 2**20


def test_a_program_that_is_not_there_is_exit_code_127(link: DeviceLink) -> None:
    assert run(link, "no-such-program")[0].exit_code == 127


def test_words_arrive_as_they_are(link: DeviceLink) -> None:
    assert run(link, "printf", "%s.", "two words", "$(id)", "")[0].stdout == "two words.$(id).."


def test_who_is_not_watched_is_run_as_ever(link: DeviceLink) -> None:
    assert run(link, "sh", "-c", "echo $PPID; exit 3", watch=False)[1] is None


def test_a_watched_runner_that_hangs_ends_at_its_limit(link: DeviceLink, tmp_path: Path) -> None:
    told = tmp_path / "pid"
    with pytest.raises(AdbTimeout):
        run(link, "sh", "-c", f"echo $$ >{shlex.quote(str(told))}; exec sleep 300", timeout_s=2.0)
    await_end(int(told.read_text()))
