"""What every `DeviceLink` promises, on every phone. Subclasses provide the phone and the link."""

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from fault_proxy import Fault, FaultProxy
from phone_processes import PhoneProcess, free_port

from device_agents.link import limits
from paretofarm.errors import AdbTimeout, PhoneOffline, Unavailable
from paretofarm.ports import DeviceLink, LinkState, RemoteJob

LinkMaker = Callable[[str], DeviceLink]
FLAP_S = 0.2
CUTS = [0, 1, 23, 24, 25, 100, 500, 2_000, 20_000, 70_000]
"""Bytes after which a connection is cut: in a header, between header and payload, in the middle of a file."""
NASTY_WORDS = [
    "two words",
    "it's",
    'a "quoted" word',
    "$(id) `id` $HOME ${PATH}",
    "line one\nline two\n",
    "tab\tand back\\slash",
    "*?[a-z]{1,2}~!#&|;<>()",
    "",
    "-n",
    "Grüße, 電話 📱",
]


class DeviceLinkContract:
    """Needs the fixtures `phone` (shared, not to be harmed), `own_phone` (may be killed) and `make_link`."""

    @pytest.fixture
    def link(self, phone: PhoneProcess, make_link: LinkMaker) -> DeviceLink:
        return make_link(phone.address)

    @pytest.fixture
    def folder(self, phone: PhoneProcess, request: pytest.FixtureRequest) -> str:
        return f"{phone.folder}/{hashlib.sha1(request.node.nodeid.encode()).hexdigest()[:12]}"

    @pytest.fixture
    def proxy(self, phone: PhoneProcess) -> Iterator[FaultProxy]:
        with FaultProxy(phone.address) as proxy:
            yield proxy

    # Commands

    def test_exit_code_and_both_outputs_come_back(self, link: DeviceLink) -> None:
        result = link.run(["sh", "-c", "echo out; echo err >&2; exit 7"], timeout_s=5)
        assert (result.exit_code, result.stdout, result.stderr) == (7, "out\n", "err\n")

    def test_unknown_program_is_exit_code_127(self, link: DeviceLink) -> None:
        assert link.run(["no-such-program"], timeout_s=5).exit_code == 127

    def test_killed_command_is_128_and_the_signal(self, link: DeviceLink) -> None:
        assert link.run(["sh", "-c", "kill -9 $$"], timeout_s=5).exit_code == 137

    @pytest.mark.parametrize("word", NASTY_WORDS)
    def test_words_arrive_verbatim(self, link: DeviceLink, word: str) -> None:
        result = link.run(["sh", "-c", 'printf "%s." "$@"', "sh", word, word], timeout_s=5)
        assert result.stdout == f"{word}.{word}."

    def test_environment_and_directory_reach_the_command(self, link: DeviceLink, folder: str) -> None:
        link.run(["mkdir", "-p", f"{folder}/a b"], timeout_s=5)
        result = link.run(
            ["sh", "-c", 'echo "$WORDS"; pwd'], timeout_s=5, environment={"WORDS": "x 'y'"}, directory=f"{folder}/a b"
        )
        assert result.stdout == f"x 'y'\n{folder}/a b\n"

    def test_missing_directory_is_a_failing_command(self, link: DeviceLink) -> None:
        assert link.run(["true"], timeout_s=5, directory="/no/such/folder").exit_code != 0

    def test_a_megabyte_of_any_bytes_passes_through_stdout(self, link: DeviceLink, folder: str, tmp_path: Path) -> None:
        content = bytes(range(256)) * 4096
        (tmp_path / "bytes").write_bytes(content)
        link.push(tmp_path / "bytes", f"{folder}/bytes")
        result = link.run(["cat", f"{folder}/bytes"], timeout_s=10)
        assert result.stdout.encode(errors="surrogateescape") == content

    def test_command_reads_an_open_but_empty_stdin(self, link: DeviceLink) -> None:
        assert link.run(["sh", "-c", "head -c 0; echo done"], timeout_s=5).stdout == "done\n"

    def test_threads_share_a_link(self, link: DeviceLink) -> None:
        def echo(word: int) -> str:
            return link.run(["echo", str(word)], timeout_s=10).stdout

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(echo, range(60))) == [f"{word}\n" for word in range(60)]

    def test_timeout_kills_what_it_abandons(self, link: DeviceLink, folder: str) -> None:
        link.run(["mkdir", "-p", folder], timeout_s=5)
        script = f"echo $$ >{folder}/parent; sleep 300 & echo $! >{folder}/child; wait"
        started = time.monotonic()
        with pytest.raises(AdbTimeout):
            link.run(["sh", "-c", script], timeout_s=0.5)
        assert time.monotonic() - started < 2
        await_end(int(link.pull(f"{folder}/parent")), int(link.pull(f"{folder}/child")))

    def test_trickling_command_ends_at_its_limit(self, link: DeviceLink) -> None:
        started = time.monotonic()
        with pytest.raises(AdbTimeout):
            link.run(["sh", "-c", "while :; do echo tick; sleep 0.1; done"], timeout_s=0.6)
        assert time.monotonic() - started < 2

    # Files

    def test_thirty_megabytes_arrive_whole_and_soon(self, link: DeviceLink, folder: str, tmp_path: Path) -> None:
        content = os.urandom(30_000_000)
        (tmp_path / "network.onnx").write_bytes(content)
        started = time.monotonic()
        link.push(tmp_path / "network.onnx", f"{folder}/new/network.onnx")
        assert time.monotonic() - started < 15
        assert hashlib.sha256(link.pull(f"{folder}/new/network.onnx")).digest() == hashlib.sha256(content).digest()

    def test_push_replaces_and_leaves_no_part(self, link: DeviceLink, folder: str, tmp_path: Path) -> None:
        for content in (b"first and longer", b"second", b""):
            (tmp_path / "file").write_bytes(content)
            link.push(tmp_path / "file", f"{folder}/it's a file")
            assert link.pull(f"{folder}/it's a file") == content
        assert link.run(["ls", folder], timeout_s=5).stdout == "it's a file\n"

    def test_pushed_programs_stay_executable(self, link: DeviceLink, folder: str, tmp_path: Path) -> None:
        (tmp_path / "tool").write_text("#!/bin/sh\necho ran\n")
        (tmp_path / "tool").chmod(0o755)
        link.push(tmp_path / "tool", f"{folder}/tool")
        assert link.run([f"{folder}/tool"], timeout_s=5).stdout == "ran\n"

    def test_missing_files_are_file_not_found(self, link: DeviceLink, folder: str, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            link.pull(f"{folder}/absent")
        with pytest.raises(FileNotFoundError):
            link.push(tmp_path / "absent", f"{folder}/absent")
        with pytest.raises(FileNotFoundError):
            link.free_bytes(f"{folder}/absent")

    def test_refused_push_says_why_at_once(self, link: DeviceLink, folder: str, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(os.urandom(5_000_000))
        link.run(["mkdir", "-p", f"{folder}/file.part/in the way"], timeout_s=5)
        started = time.monotonic()
        with pytest.raises(PhoneOffline, match="Is a directory"):
            link.push(tmp_path / "file", f"{folder}/file")
        assert time.monotonic() - started < 5
        assert link.run(["echo", "on"], timeout_s=5).stdout == "on\n"

    def test_free_space_is_a_sane_number(self, link: DeviceLink, phone: PhoneProcess) -> None:
        assert 1_000_000 < link.free_bytes(phone.folder) < 1 << 60

    # Jobs

    def test_job_survives_a_lost_connection(self, link: DeviceLink, folder: str, make_link: LinkMaker) -> None:
        job = link.start(
            ["sh", "-c", "sleep 0.4; echo $WORD; exit 3"], folder=f"{folder}/a job", environment={"WORD": "done"}
        )
        assert link.poll(job) is None
        address = link.serial
        link.close()
        other = make_link(address)
        assert await_exit(other, job) == 3
        assert other.pull(f"{job.folder}/log") == b"done\n"
        assert other.pull(f"{job.folder}/pid") == b"%d\n" % job.process_group

    def test_killed_job_and_its_children_end(self, link: DeviceLink, folder: str) -> None:
        job = link.start(["sh", "-c", "sleep 300 & echo $! >child; wait"], folder=folder)
        child = await_number(link, f"{folder}/child")
        link.kill(job)
        await_end(job.process_group, child)
        assert link.poll(job) == 137
        link.kill(job)

    def test_folder_can_be_used_again(self, link: DeviceLink, folder: str) -> None:
        assert await_exit(link, link.start(["false"], folder=folder)) == 1
        assert await_exit(link, link.start(["true"], folder=folder)) == 0

    # Trouble

    def test_state_tells_online_from_absent(self, link: DeviceLink, make_link: LinkMaker) -> None:
        assert link.state() == LinkState.ONLINE
        assert make_link(f"127.0.0.1:{free_port()}").state() == LinkState.ABSENT

    def test_refused_connection_is_offline(self, make_link: LinkMaker) -> None:
        with pytest.raises(PhoneOffline):
            make_link(f"127.0.0.1:{free_port()}").connect()

    def test_reset_connection_is_offline_and_then_renewed(self, proxy: FaultProxy, make_link: LinkMaker) -> None:
        link = make_link(proxy.address)
        link.connect()
        proxy.arm(Fault.RESET)
        with pytest.raises(PhoneOffline):
            link.run(["true"], timeout_s=5)
        proxy.disarm()
        assert link.run(["echo", "back"], timeout_s=5).stdout == "back\n"

    @pytest.mark.parametrize("after_bytes", CUTS)
    def test_connection_cut_anywhere_costs_one_call(
        self, proxy: FaultProxy, make_link: LinkMaker, folder: str, tmp_path: Path, after_bytes: int
    ) -> None:
        (tmp_path / "file").write_bytes(os.urandom(100_000))
        link = make_link(proxy.address)
        link.connect()
        proxy.arm(Fault.CUT, after_bytes=after_bytes)
        with pytest.raises(Unavailable):
            link.push(tmp_path / "file", f"{folder}/file")
        assert "file" not in link.run(["ls", folder], timeout_s=5).stdout.split()
        link.push(tmp_path / "file", f"{folder}/file")
        assert link.pull(f"{folder}/file") == (tmp_path / "file").read_bytes()

    def test_slow_connection_is_none_that_is_lost(
        self, proxy: FaultProxy, make_link: LinkMaker, folder: str, tmp_path: Path
    ) -> None:
        link = make_link(proxy.address)
        (tmp_path / "file").write_bytes(os.urandom(500_000))
        link.connect()
        proxy.arm(Fault.SLOW)
        link.push(tmp_path / "file", f"{folder}/file")
        assert link.pull(f"{folder}/file") == (tmp_path / "file").read_bytes()

    def test_flapping_connection_loses_no_job_and_runs_none_twice(
        self, proxy: FaultProxy, make_link: LinkMaker, folder: str, tmp_path: Path
    ) -> None:
        """Away for as long as there, as a phone with a loose cable; each outage is a tenth of what the lab sees."""
        link = make_link(proxy.address)
        (tmp_path / "file").write_bytes(os.urandom(200_000))
        job = link.start(["sh", "-c", f"echo ran >>{folder}/runs; sleep 2; exit 5"], folder=f"{folder}/job")
        stop = threading.Event()
        flapper = threading.Thread(target=flap, args=(proxy, stop))
        flapper.start()
        lost = 0
        try:
            code = None
            while code is None:
                try:
                    link.push(tmp_path / "file", f"{folder}/file")
                    code = link.poll(job)
                except Unavailable:
                    lost += 1
        finally:
            stop.set()
            flapper.join()
        assert (code, lost > 1) == (5, True)
        assert link.run(["cat", f"{folder}/runs"], timeout_s=5).stdout == "ran\n"
        assert link.pull(f"{folder}/file") == (tmp_path / "file").read_bytes()

    def test_silence_ends_at_the_limit(self, proxy: FaultProxy, make_link: LinkMaker) -> None:
        link = make_link(proxy.address)
        link.connect()
        proxy.arm(Fault.SWALLOW)
        started = time.monotonic()
        with pytest.raises(AdbTimeout):
            link.run(["true"], timeout_s=0.5)
        assert time.monotonic() - started < 1.5
        proxy.disarm()
        assert link.run(["echo", "back"], timeout_s=5).stdout == "back\n"

    def test_a_phone_that_is_swallowed_during_a_long_command_is_noticed_within_seconds(
        self, proxy: FaultProxy, make_link: LinkMaker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A block of inferences says nothing for as long as it runs, and may take ten minutes."""
        hurry(monkeypatch)
        link = make_link(proxy.address)
        link.connect()
        timer = threading.Timer(1.0, proxy.arm, [Fault.SWALLOW])
        timer.start()
        started = time.monotonic()
        with pytest.raises(AdbTimeout, match=r"no answer for 1\.5 s|nothing was read"):
            link.run(["sleep", "300"], timeout_s=600)
        assert 1 < time.monotonic() - started < 12  # with the seconds in which it is tried to kill what was run
        timer.join()
        proxy.disarm()
        assert link.run(["echo", "back"], timeout_s=5).stdout == "back\n"

    def test_a_silent_command_on_a_living_phone_runs_to_its_end(
        self, link: DeviceLink, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is asked a dozen times meanwhile, before, between and after its words."""
        hurry(monkeypatch)
        script = "for word in one two three; do sleep 0.7; echo $word; done; sleep 0.7; exit 4"
        result = link.run(["sh", "-c", script], timeout_s=20)
        assert (result.exit_code, result.stdout, result.stderr) == (4, "one\ntwo\nthree\n", "")
        assert link.run(["echo", "on"], timeout_s=5).stdout == "on\n"

    def test_cut_push_leaves_nothing_under_the_final_name(
        self, proxy: FaultProxy, make_link: LinkMaker, folder: str, tmp_path: Path
    ) -> None:
        link = make_link(proxy.address)
        (tmp_path / "file").write_bytes(os.urandom(8_000_000))
        link.connect()
        proxy.arm(Fault.CUT, after_bytes=4_000_000)
        with pytest.raises(PhoneOffline):
            link.push(tmp_path / "file", f"{folder}/file")
        assert "file" not in link.run(["ls", folder], timeout_s=5).stdout.split()
        link.push(tmp_path / "file", f"{folder}/file")
        assert link.pull(f"{folder}/file") == (tmp_path / "file").read_bytes()

    def test_cut_pull_is_offline(self, proxy: FaultProxy, make_link: LinkMaker, folder: str, tmp_path: Path) -> None:
        link = make_link(proxy.address)
        (tmp_path / "file").write_bytes(os.urandom(8_000_000))
        link.push(tmp_path / "file", f"{folder}/file")
        proxy.arm(Fault.RESET, after_bytes=4_000_000)
        with pytest.raises(PhoneOffline):
            link.pull(f"{folder}/file")

    def test_closing_ends_a_call_in_progress(self, link: DeviceLink) -> None:
        link.connect()
        timer = threading.Timer(0.3, link.close)
        timer.start()
        started = time.monotonic()
        with pytest.raises(Unavailable):
            link.run(["sleep", "5"], timeout_s=20)
        assert time.monotonic() - started < 2
        timer.join()

    def test_an_interrupt_ends_a_command_and_kills_it_on_the_phone(self, link: DeviceLink, folder: str) -> None:
        link.run(["mkdir", "-p", folder], timeout_s=5)
        timer = threading.Timer(0.5, link.interrupt)
        timer.start()
        started = time.monotonic()
        with pytest.raises(PhoneOffline):
            link.run(["sh", "-c", f"echo $$ >{folder}/parent; sleep 300"], timeout_s=20)
        assert time.monotonic() - started < 3
        timer.join()
        await_end(int(link.pull(f"{folder}/parent")))

    def test_death_of_the_phone_is_noticed_at_once(self, own_phone: PhoneProcess, make_link: LinkMaker) -> None:
        link = make_link(own_phone.address)
        died: list[float] = []

        def die() -> None:
            died.append(time.monotonic())
            own_phone.kill()

        link.connect()
        timer = threading.Timer(0.3, die)
        timer.start()
        with pytest.raises(PhoneOffline):
            link.run(["sleep", "5"], timeout_s=20)
        assert time.monotonic() - died[0] < 1
        timer.join()
        assert link.state() == LinkState.ABSENT
        own_phone.restart()
        assert link.run(["echo", "back"], timeout_s=5).stdout == "back\n"


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The phone is asked for a sign of life after moments instead of seconds."""
    monkeypatch.setattr(limits, "ASK_FOR_LIFE_S", 0.2)
    monkeypatch.setattr(limits, "SIGN_OF_LIFE_S", 1.5)


def flap(proxy: FaultProxy, stop: threading.Event) -> None:
    """Until told to stop; the connection is then there."""
    while not stop.wait(FLAP_S):
        proxy.arm(Fault.RESET)
        stop.wait(FLAP_S)
        proxy.disarm()
    proxy.disarm()


def await_exit(link: DeviceLink, job: RemoteJob) -> int:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        code = link.poll(job)
        if code is not None:
            return code
        time.sleep(0.02)
    raise AssertionError("the job did not end")


def await_number(link: DeviceLink, path: str) -> int:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        text = link.run(["cat", path], timeout_s=5).stdout.strip()
        if text:
            return int(text)
        time.sleep(0.02)
    raise AssertionError(f"{path} did not appear")


def await_end(*pids: int) -> None:
    """Phones under test run on this machine: their processes can be looked at."""
    deadline = time.monotonic() + 5
    while any(_alive(pid) for pid in pids):
        assert time.monotonic() < deadline, f"one of {pids} still runs"
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
