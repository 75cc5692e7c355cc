"""What is said to a phone's shell, and how its answers are read. Pure: no connection, no clock."""

import re
import shlex
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from paretofarm.errors import ConfigError
from paretofarm.ports import RemoteJob

PACKET_HEADER = struct.Struct("<BI")
REFUSAL_HEADER = struct.Struct("<4sI")
NO_SERVICE = "paretofarm-alive:"
"""What no phone has: adbd answers by refusing it."""
KILLED = 137
DAMAGED = 3
# The file $1, if it has the SHA-256 $2, becomes $3.
ACCEPT = f"""\
sum=$(sha256sum <"$1") || exit 1
[ "${{sum%% *}}" = "$2" ] || {{ echo "$sum"; exit {DAMAGED}; }}
mv -f "$1" "$3"
"""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PROPERTY = re.compile(r"^\[([^\]\n]+)\]: \[(.*?)\]$", re.MULTILINE | re.DOTALL)
_EXIT_LINE = re.compile(rb"__rc=(\d+)\r?\n\Z")


class PacketId(IntEnum):
    """Kinds of packet in ADB's shell protocol, version 2 (AOSP `shell_protocol.h`)."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    EXIT = 3
    CLOSE_STDIN = 4
    WINDOW_SIZE = 5


@dataclass
class PacketReader:
    """Collects shell packets from a byte stream that is cut anywhere."""

    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    exit_code: int | None = None
    _pending: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> None:
        self._pending += data
        while len(self._pending) >= PACKET_HEADER.size:
            kind, size = PACKET_HEADER.unpack_from(self._pending)
            end = PACKET_HEADER.size + size
            if len(self._pending) < end:
                return
            self._accept(kind, bytes(self._pending[PACKET_HEADER.size : end]))
            del self._pending[:end]

    def _accept(self, kind: int, payload: bytes) -> None:
        if kind == PacketId.STDOUT:
            self.stdout += payload
        elif kind == PacketId.STDERR:
            self.stderr += payload
        elif kind == PacketId.EXIT and payload:
            self.exit_code = payload[0]


def command_line(
    argv: Sequence[str], *, environment: Mapping[str, str] | None = None, directory: str | None = None
) -> str:
    """Shell text that runs argv, each word quoted. Raises `ConfigError` for what no shell can be told."""
    if not argv:
        raise ConfigError("a command needs at least one word")
    assignments = [f"{_variable(name)}={shlex.quote(value)}" for name, value in (environment or {}).items()]
    text = " ".join([*assignments, *(shlex.quote(word) for word in argv)])
    if directory is not None:
        text = f"cd {shlex.quote(directory)} && {text}"
    if "\0" in text:
        raise ConfigError("a command cannot hold a NUL character")
    return text


def announced(command: str) -> str:
    """The command, after a first line of output that names its process group: how a timeout knows what to kill."""
    return f"echo $$; {command}"


def split_announcement(stdout: bytes) -> tuple[int | None, bytes]:
    """Process group and the command's own output, of an announced command; None where the line is not yet complete."""
    line, newline, rest = stdout.partition(b"\n")
    if not newline or not line.strip().isdigit():
        return None, stdout
    return int(line), rest


def with_exit_line(command: str) -> str:
    """For phones without shell v2 (before Android 7): both streams are one, the exit code is a last line."""
    return f"( {command}\n) 2>&1; echo __rc=$?"


def split_exit_line(output: bytes) -> tuple[int | None, bytes]:
    """Exit code and output of `with_exit_line`; None where the line is missing."""
    match = _EXIT_LINE.search(output)
    return (int(match.group(1)), output[: match.start()]) if match else (None, output)


def detached(command: str, folder: str) -> str:
    """Starts a command that outlives the connection, in a session of its own; prints its process group.

    The exit code appears in `rc` by renaming, so that it is never read half-written.
    """
    job = f"echo $$ >pid; {command}; echo $? >rc.part; mv rc.part rc"
    return (
        f"mkdir -p {shlex.quote(folder)} && cd {shlex.quote(folder)} && rm -f rc rc.part pid log && "
        f"{{ setsid sh -c {shlex.quote(job)} </dev/null >log 2>&1 & echo $!; }}"
    )


def poll_detached(job: RemoteJob) -> str:
    """Prints the exit code, `running`, or `lost` where the leader is gone (or a zombie) without having left one."""
    rc = shlex.quote(f"{job.folder}/rc")
    leader = f"/proc/{job.process_group}/stat"
    return (
        f"cat {rc} 2>/dev/null || "
        f"case \"$(cat {leader} 2>/dev/null)\" in ''|*') Z '*|*') X '*) cat {rc} 2>/dev/null || echo lost;; "
        "*) echo running;; esac"
    )


def parse_poll(stdout: str) -> int | None:
    """Exit code, None while the job runs. A job that was killed, or lost in a reboot, counts as killed (137)."""
    word = stdout.strip()
    if word == "running":
        return None
    return int(word) if word.isdigit() else KILLED


def kill_group(process_group: int) -> str:
    """Kills a process group, or the process alone where it leads none. `-s KILL --` is understood by dash and mksh."""
    return f"kill -s KILL -- -{process_group} 2>/dev/null || kill -s KILL {process_group} 2>/dev/null; true"


def parse_properties(stdout: str) -> dict[str, str]:
    """All properties of `getprop`'s output; values may span lines."""
    return dict(_PROPERTY.findall(stdout.replace("\r\n", "\n")))


def parse_free_bytes(stdout: str) -> int | None:
    """Free space in `df -k FOLDER`'s output: the number before the use percentage; None where there is none.

    Lines are not counted on: a long device name pushes the figures onto a line of their own.
    """
    words = stdout.split()
    for position in range(len(words) - 1, 0, -1):
        if re.fullmatch(r"\d+%", words[position]) and words[position - 1].isdigit():
            return int(words[position - 1]) * 1024
    return None


def refusal_reason(answer: bytes) -> bytes | None:
    """The text of a `FAIL` answer to a push, once all of it is there."""
    if len(answer) < REFUSAL_HEADER.size or not answer.startswith(b"FAIL"):
        return None
    _, size = REFUSAL_HEADER.unpack_from(answer)
    reason = answer[REFUSAL_HEADER.size :]
    return reason if len(reason) >= size else None


def _variable(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is not the name of an environment variable")
    return name
