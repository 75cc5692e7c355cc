"""`DeviceLink` over adb-shell, on TCP."""

import hashlib
import logging
import shlex
import stat
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TypeVar

from device_agents.link import keys, shell
from device_agents.link.session import (
    LIBRARY_ERRORS,
    NO_LIMIT_S,
    AuthenticationFailed,
    CommandRefused,
    PushRefused,
    Session,
    load_signer,
)
from device_agents.link.transport import DeadlineExceeded, Transport
from paretofarm.errors import AdbTimeout, ConfigError, PhoneOffline, PhoneStorageFull, PhoneUnauthorized, Unavailable
from paretofarm.ports import CommandResult, LinkState, RemoteJob

log = logging.getLogger(__name__)

T = TypeVar("T")
CONNECT_S = 5.0
HOUSEKEEPING_S = 10.0
STALL_S = 10.0
# Slower than any cable: a transfer below this is stuck, not slow.
SLOWEST_BYTES_PER_S = 500_000
# Left free on the phone by every push.
SPACE_MARGIN = 64 * 1024


class AdbShellLink:
    """A phone at `host:port`. See `paretofarm.ports.DeviceLink` for what each call promises.

    stdout keeps bytes that are not UTF-8 as surrogate escapes (PEP 383): `.encode(errors="surrogateescape")` has
    them back. stderr shows them as `\\xNN`.
    """

    def __init__(self, address: str, key_path: Path, *, authorization_wait_s: float = 10.0) -> None:
        host, port = _parse_address(address)
        self._address = address
        self._key_path = key_path
        self._transport = Transport(host, port)
        self._session = Session(self._transport, authorization_wait_s)
        # One call at a time: adb-shell loses replies when several threads use one device.
        self._lock = threading.RLock()

    @property
    def serial(self) -> str:
        return self._address

    def connect(self) -> None:
        with self._lock:
            if not self._session.available:
                self._log_in()

    def close(self) -> None:
        self._transport.abort()  # ends the call that may hold the lock
        with self._lock:
            self._session.close()

    def interrupt(self) -> None:
        self._transport.abort()

    def state(self) -> LinkState:
        try:
            self.run(["true"], timeout_s=CONNECT_S)
        except PhoneUnauthorized:
            return LinkState.UNAUTHORIZED
        except Unavailable:
            return LinkState.OFFLINE if self._transport.reached else LinkState.ABSENT
        return LinkState.ONLINE

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        environment: Mapping[str, str] | None = None,
        directory: str | None = None,
    ) -> CommandResult:
        command = shell.command_line(argv, environment=environment, directory=directory)
        output = shell.PacketReader()
        with self._lock:
            try:
                self._call(lambda: self._session.execute(shell.announced(command), output), timeout_s)
            except Unavailable:
                self._kill_abandoned(bytes(output.stdout))
                raise
        return self._result(output)

    def start(self, argv: Sequence[str], *, folder: str, environment: Mapping[str, str] | None = None) -> RemoteJob:
        command = shell.command_line(argv, environment=environment)
        started = self._shell(shell.detached(command, folder))
        if not started.stdout.strip().isdigit():
            raise PhoneOffline(f"{self._address}: could not start a job in {folder}: {started.stderr.strip()}")
        return RemoteJob(folder, int(started.stdout))

    def poll(self, job: RemoteJob) -> int | None:
        return shell.parse_poll(self._shell(shell.poll_detached(job)).stdout)

    def kill(self, job: RemoteJob) -> None:
        self._shell(shell.kill_group(job.process_group))

    def push(self, local: Path, remote: str) -> None:
        size = local.stat().st_size
        part = f"{remote}.part"
        digest = _sha256(local)
        with self._lock:
            self._require_space(remote, size)
            try:
                self._transfer(lambda: self._send(local, part), size)
                self._verify(part, digest, size)
                self._shell_or_fail(f"mv -f {shlex.quote(part)} {shlex.quote(remote)}")
            except Unavailable:
                self._discard(part, size)
                raise

    def pull(self, remote: str) -> bytes:
        with self._lock:
            mode, size, _ = self._call(lambda: self._session.stat(remote, NO_LIMIT_S, NO_LIMIT_S), HOUSEKEEPING_S)
            if not stat.S_ISREG(mode):  # a missing file is mode 0
                raise FileNotFoundError(f"{self._address}:{remote} is not a file")
            content = BytesIO()
            try:
                self._transfer(lambda: self._session.pull(remote, content, None, NO_LIMIT_S, NO_LIMIT_S), size)
            except CommandRefused as error:
                raise FileNotFoundError(f"{self._address}:{remote}: {error}") from error
        return content.getvalue()

    def properties(self) -> Mapping[str, str]:
        return shell.parse_properties(self._shell("getprop").stdout)

    def free_bytes(self, folder: str) -> int:
        free = shell.parse_free_bytes(self._shell(f"df -k {shlex.quote(folder)}").stdout)
        if free is None:
            raise FileNotFoundError(f"{self._address}:{folder} has no file system")
        return free

    def reboot(self) -> None:
        with self._lock:
            try:
                self._call(lambda: self._session.reboot(), HOUSEKEEPING_S)
            except Unavailable as error:
                if not self._transport.reached:
                    raise
                log.debug("%s went away while it was told to reboot: %s", self._address, error)
            self._session.close()

    def _log_in(self) -> None:
        signer = load_signer(keys.ensure_key_pair(self._key_path))
        self._transport.limit(CONNECT_S)
        with self._errors_translated():
            self._session.log_in(signer)

    def _call(self, action: Callable[[], T], timeout_s: float, *, stall_s: float | None = None) -> T:
        """One exchange on a live connection; anything but a refused command drops it."""
        with self._lock:
            self.connect()
            self._transport.limit(timeout_s, stall_s=stall_s)
            with self._errors_translated():
                return action()

    def _transfer(self, action: Callable[[], T], size: int) -> T:
        return self._call(action, HOUSEKEEPING_S + size / SLOWEST_BYTES_PER_S, stall_s=STALL_S)

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

    def _translated(self, error: Exception) -> Unavailable:
        if self._session.refused or isinstance(error, AuthenticationFailed):
            return PhoneUnauthorized(f"{self._address} has not accepted the key {self._key_path}.pub")
        if isinstance(error, PushRefused):
            reason = bytes(error.args[0]).decode(errors="replace")
            kind = PhoneStorageFull if "No space left" in reason else PhoneOffline
            return kind(f"{self._address} refused a file: {reason}")
        if isinstance(error, (DeadlineExceeded, TimeoutError)):
            return AdbTimeout(f"{self._address} did not answer: {error}")
        return PhoneOffline(f"{self._address} does not answer: {error or type(error).__name__}")

    def _shell(self, command: str) -> CommandResult:
        output = shell.PacketReader()
        self._call(lambda: self._session.execute(shell.announced(command), output), HOUSEKEEPING_S)
        return self._result(output)

    def _shell_or_fail(self, command: str) -> CommandResult:
        result = self._shell(command)
        if result.exit_code != 0:
            raise PhoneOffline(f"{self._address}: {command}: {result.stderr.strip()}")
        return result

    def _result(self, output: shell.PacketReader) -> CommandResult:
        if output.exit_code is None:  # the shell's stream was closed from the far side: a dying phone
            self._session.close()
            raise PhoneOffline(f"{self._address} ended a command without an exit code")
        _, stdout = shell.split_announcement(bytes(output.stdout))
        return CommandResult(
            output.exit_code, stdout.decode(errors="surrogateescape"), output.stderr.decode(errors="backslashreplace")
        )

    def _kill_abandoned(self, stdout: bytes) -> None:
        """A dropped stream does not end the command behind it."""
        process_group, _ = shell.split_announcement(stdout)
        if process_group is None:
            return
        try:
            self._shell(shell.kill_group(process_group))
        except Unavailable as error:
            log.warning("%s: process group %d may still run: %s", self._address, process_group, error)

    def _require_space(self, remote: str, size: int) -> None:
        folder = str(PurePosixPath(remote).parent)
        self._shell_or_fail(f"mkdir -p {shlex.quote(folder)}")
        free = self.free_bytes(folder)
        if free < size + SPACE_MARGIN:
            raise PhoneStorageFull(f"{self._address}: {remote} needs {size} bytes, {free} are free in {folder}")

    def _send(self, local: Path, part: str) -> None:
        mode = stat.S_IFREG | 0o644 | (local.stat().st_mode & 0o111)
        self._session.push(str(local), part, mode, 0, None, NO_LIMIT_S, NO_LIMIT_S)

    def _verify(self, part: str, digest: str, size: int) -> None:
        result = self.run(["sha256sum", part], timeout_s=HOUSEKEEPING_S + size / SLOWEST_BYTES_PER_S)
        if result.stdout.split(maxsplit=1)[:1] != [digest]:
            raise PhoneOffline(f"{self._address}: {part} arrived damaged {result.stderr.strip()}".rstrip())

    def _discard(self, part: str, size: int) -> None:
        """After a failed push: removes what arrived, and tells a full disk from a lost phone."""
        try:
            free_before = self.free_bytes(str(PurePosixPath(part).parent))
            self._shell(f"rm -f {shlex.quote(part)}")
        except (Unavailable, FileNotFoundError) as error:
            log.debug("%s: %s stays: %s", self._address, part, error)
            return
        if free_before < SPACE_MARGIN:
            raise PhoneStorageFull(f"{self._address}: no space left for {size} bytes at {part}")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _parse_address(address: str) -> tuple[str, int]:
    host, separator, port = address.rpartition(":")
    if not separator or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"phone address {address!r}: expected host:port")
    return host.strip("[]"), int(port)
