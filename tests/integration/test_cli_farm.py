"""The program as a process: everything embedded, Ctrl-C, `up`, processes on a user's own servers, full disks."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest
from services import wait_until

from cli.checks import examine
from cli.connection import open_database
from cli.stack.state import find_running_stack
from db.migrate import latest
from db.phones import PhoneState, list_phones
from device_agents.link import open_link
from paretofarm.errors import PhoneUnauthorized
from paretofarm.settings import Settings

OWN_KEY = ".paretofarm/adbkey"
PROGRAM = (sys.executable, "-P", "-m", "cli")
BUILDS_ONLY = """\
name: sizes
search_space: {type: hourglass, input_size: 64, base_channels: [8, 16, 24]}
algorithm: {type: random}
objectives: [{name: parameters, goal: minimize}, {name: macs, goal: maximize}]
stop: {candidates: 2}
in_flight: 2
"""


def clean_environment(data: Path, **more: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PARETOFARM_")}
    return {**own, "PARETOFARM_DATA": str(data), **more}


def run(data: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], env=clean_environment(data, **more), capture_output=True, text=True, timeout=240
    )


SLOWLY = BUILDS_ONLY.replace("name: sizes", "name: many").replace("candidates: 2", "candidates: 5")
IMPOSSIBLE = BUILDS_ONLY.replace("name: sizes", "name: tiny") + "constraints: [{name: macs, at_most: 1}]\n"


@contextmanager
def started(data: Path, *arguments: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        env=clean_environment(data, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.communicate(timeout=30)


def wait_for_line(process: subprocess.Popen[str], part: str) -> str:
    """The first line on stderr that has `part`."""
    assert process.stderr is not None
    for line in process.stderr:
        if part in line:
            return line
    pytest.fail(f"{part!r} was never printed; exit code {process.wait()}")


def ready_phones(environment: Mapping[str, str]) -> list[str]:
    """Device classes of the phones that can be measured."""
    with open_database(environment) as database, database.transaction() as session:
        return [phone.facts.device for phone in list_phones(session) if phone.state is PhoneState.READY]


def processes_of(data: Path) -> list[psutil.Process]:
    return [
        process for process in psutil.process_iter(["cmdline"]) if str(data) in " ".join(process.info["cmdline"] or [])
    ]


def test_a_search_from_start_over_ctrl_c_to_its_front(tmp_path: Path) -> None:
    """Nothing but a file is needed; the second start goes on, the third just answers, and questions do too."""
    data, file, picture = tmp_path / "farm", tmp_path / "sizes.yaml", tmp_path / "front.png"
    file.write_text(BUILDS_ONLY)
    with started(data, "search", "start", str(file), "--wait") as process:
        wait_for_line(process, "search sizes (id 1) started")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == (
        f"paretofarm: interrupted: nothing of sizes is lost; go on with: paretofarm search start {file} --wait"
    )
    assert find_running_stack(data) is None
    wait_until(lambda: not processes_of(data), what="every process to be gone")

    second = run(data, "search", "start", str(file), "--wait", "--json", "--plot", str(picture), "--workers", "2")
    assert second.returncode == 0, second.stderr
    answer = json.loads(second.stdout)
    assert "search sizes (id 1) goes on" in second.stderr
    assert "2/2 complete" in second.stderr
    assert (answer["search"], answer["device"]) == ("sizes", None)
    assert len(answer["candidates"]) >= 1
    assert picture.read_bytes().startswith(b"\x89PNG")

    third = run(data, "search", "start", str(file), "--wait")
    assert third.returncode == 0
    assert "search sizes (id 1) is finished already" in third.stderr
    assert json.loads(run(data, "front", "sizes", "--json").stdout) == answer
    shell = run(data, "db", "shell", "-At", "-c", "select count(*) from candidate_metrics where status = 'complete'")
    assert int(shell.stdout) >= 2
    assert not processes_of(data)


def test_up_runs_phones_until_it_is_stopped(tmp_path: Path) -> None:
    data = tmp_path / "farm"
    with started(data, "up", "--phones", "1", "--workers", "0") as process:
        wait_for_line(process, "Ctrl-C stops everything")
        wait_until(lambda: ready_phones(clean_environment(data)) == ["virtual"], 60, "the phone to be ready")
        findings = {finding.name: finding for finding in examine(clean_environment(data))}
        assert [name for name, finding in findings.items() if not finding.ok] == []
        assert "runs in" in findings["local stack"].what
        assert (findings["database"].what, findings["broker"].what) == (f"answers, schema {latest()}", "answers")
        second = run(data, "up")
        assert second.returncode == 1
        assert "already runs" in second.stderr
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0
    wait_until(lambda: not processes_of(data), what="every process to be gone")


def answers(page: str) -> bool:
    """Whether it lets us in, without a token."""
    try:
        with urlopen(f"{page}/api/v1/searches", timeout=5) as answer:
            return bool(json.load(answer) == {"searches": []})
    except URLError:
        return False


def test_up_with_own_servers_starts_none(tmp_path: Path, database_url: str, broker_url: str) -> None:
    own = {"PARETOFARM_DATABASE_URL": database_url, "PARETOFARM_BROKER_URL": broker_url}
    data = tmp_path / "farm"
    with started(data, "up", "--phones", "1", "--workers", "0", **own) as process:
        assert "running: scheduler, phone-virtual-1, agent-virtual-1, dashboard" in wait_for_line(process, "running:")
        page = wait_for_line(process, "web page:").split()[-1]
        wait_until(lambda: answers(page), 60, "the web page")
        wait_until(lambda: ready_phones(own) == ["virtual"], 60, "the phone to be ready")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert not (data / "postgres").exists()
    wait_until(lambda: not processes_of(data), what="every process to be gone")


def test_a_phone_lets_the_agent_of_its_user_in_and_nobody_else_unless_told_so(tmp_path: Path) -> None:
    with started(tmp_path, "phone", HOME=str(tmp_path)) as process:
        address = wait_for_line(process, "listens on").split()[-1]
        own, stranger = (open_link(address, tmp_path / key, authorization_wait_s=0.5) for key in (OWN_KEY, "stranger"))
        assert own.run(["echo", "welcome"], timeout_s=10).stdout == "welcome\n"
        with pytest.raises(PhoneUnauthorized):
            stranger.run(["true"], timeout_s=10)
        own.close()
        stranger.close()
    with started(tmp_path, "phone", "--no-auth", HOME=str(tmp_path)) as process:
        assert "its shell is yours" in wait_for_line(process, "everybody on this machine")


def test_a_phone_on_a_taken_port_and_an_agent_without_a_phone_are_one_line(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    with started(tmp_path, "phone", "--root", str(tmp_path / "one"), **home) as process:
        port = wait_for_line(process, "listens on").rsplit(":", 1)[1].strip()
        taken = run(tmp_path, "phone", "--port", port, "--root", str(tmp_path / "two"), **home)
    assert taken.returncode == 1
    assert taken.stderr.splitlines()[-1].startswith(f"paretofarm: the virtual phone cannot start on port {port}")
    assert run(tmp_path, "agent", "--connect", "nonsense").returncode == 2
    assert run(tmp_path, "phone", "--no-auth", "--authorized-key", "adbkey.pub").returncode == 2
    assert run(tmp_path, "phone", "--serial", "../../outside").returncode == 2
    assert run(tmp_path, "worker", "--queues", "paint").returncode == 2
    alone = run(tmp_path, "scheduler")
    assert (alone.returncode, alone.stderr.count("\n")) == (2, 1)
    assert "start one with `paretofarm up`" in alone.stderr


def test_doctor_says_what_is_wrong(tmp_path: Path) -> None:
    broken = {
        "PARETOFARM_DATABASE_URL": "postgresql://user:pa55word@127.0.0.1:1/base",
        "PARETOFARM_BROKER_URL": "redis://:pa55word@127.0.0.1:1/0",
        "PARETOFARM_ARTIFACTS": "file:///proc/artifacts",
    }
    result = run(tmp_path / "farm", "doctor", **broken)
    assert result.returncode == 1
    assert "pa55word" not in result.stdout + result.stderr
    missing = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("missing")]
    assert missing == ["database", "broker", "artifacts", "phones"]
    assert "check PARETOFARM_DATABASE_URL" in result.stdout


def test_a_full_disk_is_noticed_before_the_search_starts(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the same error comes from the same call."""
    settings = Settings("unused", "unused", (tmp_path / "store").as_uri(), tmp_path / "cache")
    code = f"""
import resource, signal
from cli.failure import error_boundary
from cli.searches import check_artifact_store
from paretofarm.settings import Settings
from pathlib import PosixPath
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4, 4))
try:
    with error_boundary():
        check_artifact_store(Settings("", "", {settings.artifacts!r}, PosixPath({str(settings.cache)!r})))
except Exception as error:
    error.show()
    raise SystemExit(error.exit_code)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("paretofarm: storing probe (10 bytes) at")


def test_a_search_that_was_started_meanwhile_keeps_the_stack_alive(tmp_path: Path) -> None:
    (tmp_path / "many.yaml").write_text(SLOWLY)
    (tmp_path / "sizes.yaml").write_text(BUILDS_ONLY.replace("candidates: 2", "candidates: 7"))
    data = tmp_path / "data"
    with started(data, "search", "start", str(tmp_path / "many.yaml"), "--wait") as process:
        wait_for_line(process, "search many")
        second = run(data, "search", "start", str(tmp_path / "sizes.yaml"))
        assert second.returncode == 0, second.stderr
        wait_for_line(process, "this stack works on, for sizes")
        process.communicate(timeout=120)
    assert process.returncode == 0
    listed = json.loads(run(data, "search", "list", "--json").stdout)
    assert [search["status"] for search in listed] == ["finished", "finished"]


def test_a_search_whose_limit_nothing_can_keep_says_so(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(IMPOSSIBLE)
    ended = run(tmp_path / "data", "search", "start", str(tmp_path / "tiny.yaml"), "--wait")
    assert ended.returncode == 1
    reason = "gave up after 40 proposals with 0 of 2 complete: 40 broke macs at most 1"
    assert f"warning: tiny {reason}" in ended.stderr
    assert reason in run(tmp_path / "data", "search", "show", "tiny").stdout.replace("\n", " ")
