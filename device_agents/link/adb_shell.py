"""The channel that is ours alone: adb-shell, over TCP or USB."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TypeVar

from device_agents.link import keys, limits
from device_agents.link.channel import RemoteFile
from device_agents.link.deadline import DeadlineExceeded
from device_agents.link.limits import CONNECT_S, HOUSEKEEPING_S, STALL_S, transfer_s
from device_agents.link.session import (
    LIBRARY_ERRORS,
    NO_LIMIT_S,
    AuthenticationFailed,
    CommandRefused,
    PushRefused,
    Session,
    Transport,
    load_signer,
)
from device_agents.link.shell import PacketReader
from paretofarm.errors import AdbTimeout, ParetofarmError, PhoneOffline, PhoneStorageFull, PhoneUnauthorized

T = TypeVar("T")


class AdbShellChannel:
    """See `device_agents.link.channel.Channel`. The key pair is made where there is none.

    authorization_wait_s: how long a connection stays open for somebody to accept the key on the phone's screen.
    """

    def __init__(self, address: str, transport: Transport, key_path: Path, *, authorization_wait_s: float) -> None:
        self._address = address
        self._key_path = key_path
        self._transport = transport
        self._session = Session(transport, authorization_wait_s)

    @property
    def address(self) -> str:
        return self._address

    @property
    def reached(self) -> bool:
        return self._transport.reached

    def connect(self) -> None:
        if not self._session.available:
            signer = load_signer(keys.ensure_key_pair(self._key_path))
            self._transport.deadline.limit(CONNECT_S)
            with self._errors_translated():
                self._session.log_in(signer)

    def close(self) -> None:
        self._session.close()

    def abort(self) -> None:
        self._transport.abort()

    def execute(self, command: str, output: PacketReader, *, timeout_s: float) -> None:
        self._call(lambda: self._session.execute(command, output), timeout_s, stall_s=limits.SIGN_OF_LIFE_S)

    def stat(self, remote: str) -> RemoteFile:
        mode, size, _ = self._call(lambda: self._session.stat(remote, NO_LIMIT_S, NO_LIMIT_S), HOUSEKEEPING_S)
        return RemoteFile(mode, size)

    def send(self, local: Path, remote: str, *, mode: int, size: int) -> None:
        push = self._session.push
        self._transfer(lambda: push(str(local), remote, mode, 0, None, NO_LIMIT_S, NO_LIMIT_S), size)

    def receive(self, remote: str, *, size: int) -> bytes:
        content = BytesIO()
        try:
            self._transfer(lambda: self._session.pull(remote, content, None, NO_LIMIT_S, NO_LIMIT_S), size)
        except CommandRefused as error:
            raise FileNotFoundError(f"{self._address}:{remote}: {error}") from error
        return content.getvalue()

    def reboot(self) -> None:
        self._call(lambda: self._session.reboot(), HOUSEKEEPING_S)

    def _call(self, action: Callable[[], T], timeout_s: float, *, stall_s: float | None = None) -> T:
        """One exchange on a live connection; anything but a refused command drops it."""
        self.connect()
        self._transport.deadline.limit(timeout_s, stall_s=stall_s)
        with self._errors_translated():
            return action()

    def _transfer(self, action: Callable[[], T], size: int) -> T:
        return self._call(action, transfer_s(size), stall_s=STALL_S)

    @contextmanager
    def _errors_translated(self) -> Iterator[None]:
        try:
            yield
        except CommandRefused:
            raise
        except (OSError, DeadlineExceeded, *LIBRARY_ERRORS) as error:
            translated = self._translated(error)
            self._session.close()
            raise translated from error
        except BaseException:  # an interrupt leaves a half-read stream behind
            self._session.close()
            raise

    def _translated(self, error: Exception) -> ParetofarmError:
        if self._session.refused or isinstance(error, AuthenticationFailed):
            return PhoneUnauthorized(
                f"{self._address} has not accepted the key {self._key_path}.pub: unlock the phone and tap "
                "“Always allow from this computer”, then “Allow”"
            )
        if isinstance(error, PushRefused):
            reason = bytes(error.args[0]).decode(errors="replace")
            kind = PhoneStorageFull if "No space left" in reason else PhoneOffline
            return kind(f"{self._address} refused a file: {reason}")
        if isinstance(error, (DeadlineExceeded, TimeoutError)):
            return AdbTimeout(f"{self._address} did not answer: {error}")
        return PhoneOffline(f"{self._address} does not answer: {error or type(error).__name__}")
