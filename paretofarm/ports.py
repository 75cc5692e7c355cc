"""What the core needs from the outside, as protocols. Adapters live in the services, each with a contract suite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class LinkState(StrEnum):
    """What a device link can see of its phone, without asking anything else of it."""

    ABSENT = "absent"
    UNAUTHORIZED = "unauthorized"
    OFFLINE = "offline"
    ONLINE = "online"


@dataclass(frozen=True)
class CommandResult:
    """A finished command: exit code as the shell reports it, and both output streams, decoded as UTF-8."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class RemoteJob:
    """A detached process group on the phone. Its folder holds `log`, `pid` and, once it has ended, `rc`."""

    folder: str
    process_group: int


class DeviceLink(Protocol):
    """One phone over one connection.

    Calls block, each within its own limit, and may come from several threads: an implementation serialises them.
    Anything but a failing command drops the connection; the next call connects again. Errors: `PhoneOffline`
    (refused, lost, cut), `PhoneUnauthorized` (key not accepted), `AdbTimeout` (no answer within the limit),
    `PhoneStorageFull` (push to a full disk). No library exception escapes.
    """

    @property
    def serial(self) -> str:
        """Address by which the link finds the phone (`host:port` or a USB serial number)."""

    def connect(self) -> None:
        """Connects and authenticates; nothing to do where the connection is up."""

    def close(self) -> None:
        """Drops the connection. Never raises."""

    def interrupt(self) -> None:
        """Ends the call in progress with `PhoneOffline`; a command that it was running is killed on the phone.

        Returns at once; from any thread, and from a signal handler. Where no call is in progress, the next may end so.
        """

    def state(self) -> LinkState:
        """Probes the phone with a shell command: a phone that is listed may still not answer."""

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        environment: Mapping[str, str] | None = None,
        directory: str | None = None,
    ) -> CommandResult:
        """Runs argv (each word quoted here) to its end. A non-zero exit code is a result, not an error."""

    def start(
        self,
        argv: Sequence[str],
        *,
        folder: str,
        environment: Mapping[str, str] | None = None,
    ) -> RemoteJob:
        """Starts argv detached, in a process group of its own, with `folder` (made if absent) as working directory."""

    def poll(self, job: RemoteJob) -> int | None:
        """Exit code of a job that has ended, None while it runs. Works across lost and renewed connections."""

    def kill(self, job: RemoteJob) -> None:
        """Kills the job's whole process group; nothing to do where it has ended."""

    def push(self, local: Path, remote: str) -> None:
        """Copies a file and verifies its SHA-256 on the phone; the final name never holds a partial file."""

    def pull(self, remote: str) -> bytes:
        """Content of a remote file. A missing file is `FileNotFoundError`."""

    def properties(self) -> Mapping[str, str]:
        """All of `getprop`."""

    def free_bytes(self, folder: str) -> int:
        """Free space of the file system that holds a remote folder."""

    def reboot(self) -> None:
        """Asks the phone to reboot and drops the connection; does not wait."""
