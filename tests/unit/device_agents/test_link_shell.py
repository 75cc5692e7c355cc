"""What is said to a phone's shell, and how its answers are read."""

import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_agents.link import shell
from paretofarm.errors import ConfigError
from paretofarm.ports import RemoteJob

TOYBOX_DF = """Filesystem              1K-blocks     Used Available Use% Mounted on
/dev/block/dm-48        110838988 35870380  74824144  33% /data/user/0
"""
WRAPPED_DF = """Filesystem           1K-blocks      Used Available Use% Mounted on
/dev/mapper/a-very-long-volume-name
                        103081248  12345678  85000000  13% /data
"""


def sh(command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["sh", "-c", command], capture_output=True, timeout=10)


def packet(kind: int, payload: bytes) -> bytes:
    return struct.pack("<BI", kind, len(payload)) + payload


@given(st.lists(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])), min_size=1, max_size=4))
def test_any_word_survives_the_shell(words: list[str]) -> None:
    command = shell.command_line(["printf", "%s\\0", *words])
    assert sh(command).stdout.decode() == "".join(f"{word}\0" for word in words)


def test_environment_is_for_the_command_alone() -> None:
    command = shell.command_line(["sh", "-c", "echo $A; pwd"], environment={"A": "x y"}, directory="/tmp")
    assert sh(command).stdout == b"x y\n/tmp\n"


@pytest.mark.parametrize("name", ["", "1A", "A B", "A;reboot", "A="])
def test_environment_names_are_checked(name: str) -> None:
    with pytest.raises(ConfigError):
        shell.command_line(["true"], environment={name: "x"})


@pytest.mark.parametrize("argv", [[], ["a\0b"]])
def test_what_no_shell_can_be_told_is_refused(argv: list[str]) -> None:
    with pytest.raises(ConfigError):
        shell.command_line(argv)


@given(st.data())
def test_packets_are_read_wherever_the_stream_is_cut(data: st.DataObject) -> None:
    stream = packet(1, b"out") + packet(2, b"err") + packet(1, b"") + packet(1, b"more\n") + packet(3, b"\x07")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    reader = shell.PacketReader()
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        reader.feed(stream[start:end])
    assert (bytes(reader.stdout), bytes(reader.stderr), reader.exit_code) == (b"outmore\n", b"err", 7)


def test_stream_without_an_exit_packet_has_no_exit_code() -> None:
    reader = shell.PacketReader()
    reader.feed(packet(1, b"out") + b"\x03\x01")
    assert reader.exit_code is None


def test_announcement_is_taken_off() -> None:
    done = sh(shell.announced("echo one; echo two"))
    group, rest = shell.split_announcement(done.stdout)
    assert group is not None and group > 1
    assert rest == b"one\ntwo\n"


@pytest.mark.parametrize("output", [b"", b"12", b"text\n"])
def test_output_without_an_announcement_is_left_alone(output: bytes) -> None:
    assert shell.split_announcement(output) == (None, output)


def test_exit_line_carries_the_exit_code() -> None:
    done = sh(shell.with_exit_line("printf 'no newline'; echo err >&2; exit 3"))
    assert shell.split_exit_line(done.stdout) == (3, b"no newlineerr\n")
    assert shell.split_exit_line(b"cut off") == (None, b"cut off")


@pytest.mark.parametrize(("answer", "code"), [("running\n", None), ("0\n", 0), ("3\n", 3), ("lost\n", 137), ("", 137)])
def test_poll_answers(answer: str, code: int | None) -> None:
    assert shell.parse_poll(answer) == code


def test_job_leaves_pid_log_and_exit_code(tmp_path) -> None:
    folder = str(tmp_path / "it's a job")
    started = sh(shell.detached(shell.command_line(["sh", "-c", "echo hi; exit 5"]), folder))
    job = RemoteJob(folder, int(started.stdout))
    while (code := shell.parse_poll(sh(shell.poll_detached(job)).stdout.decode())) is None:
        pass
    assert code == 5
    assert (tmp_path / "it's a job/log").read_text() == "hi\n"
    assert int((tmp_path / "it's a job/pid").read_text()) == job.process_group


def test_properties_may_span_lines() -> None:
    output = "[ro.a]: [1]\r\n[ro.b]: [two\nlines]\n[ro.empty]: []\n[ro.c]: [a]b]\n"
    assert shell.parse_properties(output) == {"ro.a": "1", "ro.b": "two\nlines", "ro.empty": "", "ro.c": "a]b"}


@pytest.mark.parametrize(
    ("output", "free"), [(TOYBOX_DF, 74824144 * 1024), (WRAPPED_DF, 85000000 * 1024), ("df: nope\n", None), ("", None)]
)
def test_free_space_is_the_number_before_the_share(output: str, free: int | None) -> None:
    assert shell.parse_free_bytes(output) == free


def test_refusal_is_read_once_it_is_whole() -> None:
    answer = struct.pack("<4sI", b"FAIL", 4) + b"full"
    assert shell.refusal_reason(answer) == b"full"
    assert [shell.refusal_reason(answer[:size]) for size in (0, 4, 8, 11)] == [None] * 4
    assert shell.refusal_reason(struct.pack("<4sI", b"OKAY", 0)) is None
