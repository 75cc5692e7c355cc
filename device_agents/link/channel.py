"""What a link needs from whatever reaches the phone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from device_agents.link.shell import PacketReader


@dataclass(frozen=True)
class RemoteFile:
    """mode 0: there is none of that name."""

    mode: int
    size: int


class Channel(Protocol):
    """A way to one phone's adbd: the services of ADB, each call within a limit.

    Calls come one at a time, but for `abort`. A call connects where nothing is connected; whatever goes wrong drops the
    connection. Errors: those of `paretofarm.ports.DeviceLink`. No library exception escapes.
    """

    @property
    def address(self) -> str:
        """Names the phone to people and in the database."""

    @property
    def reached(self) -> bool:
        """Whether there was anybody at that address when last a connection was tried."""

    def connect(self) -> None:
        """Connects and authenticates; nothing to do where the connection is up."""

    def close(self) -> None:
        """Drops the connection. Never raises."""

    def abort(self) -> None:
        """Ends the call in progress with `PhoneOffline`, from any thread and from a signal handler."""

    def execute(self, command: str, output: PacketReader, *, timeout_s: float) -> None:
        """Runs shell text and fills `output` as it arrives, so that what came before a failure is kept.

        However long the command may say nothing: a phone that swallows what is sent is `AdbTimeout` within
        `limits.ASK_FOR_LIFE_S` and `limits.SIGN_OF_LIFE_S`. The command is not disturbed by being asked about.
        """

    def stat(self, remote: str) -> RemoteFile:
        """What is there of that name."""

    def send(self, local: Path, remote: str, *, mode: int, size: int) -> None:
        """Writes a remote file; it may be there in part after an error."""

    def receive(self, remote: str, *, size: int) -> bytes:
        """Content of a remote file of about that size. FileNotFoundError where the phone refuses."""

    def reboot(self) -> None:
        """Asks for it; the connection may be lost before the answer."""
