"""`DeviceLink` over a channel: verified pushes, detached jobs, nothing left running behind a lost connection."""

import hashlib
import logging
import shlex
import stat
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from device_agents.link import shell
from device_agents.link.channel import Channel
from device_agents.link.limits import CONNECT_S, HOUSEKEEPING_S, transfer_s
from paretofarm.errors import PhoneOffline, PhoneStorageFull, PhoneUnauthorized, Unavailable
from paretofarm.ports import CommandResult, LinkState, RemoteJob

log = logging.getLogger(__name__)

# Left free on the phone by every push.
SPACE_MARGIN = 64 * 1024


class AdbLink:
    """A phone behind a channel. See `paretofarm.ports.DeviceLink` for what each call promises.

    stdout keeps bytes that are not UTF-8 as surrogate escapes (PEP 383): `.encode(errors="surrogateescape")` has
    them back. stderr shows them as `\\xNN`.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lock = threading.RLock()

    @property
    def serial(self) -> str:
        return self._channel.address

    def connect(self) -> None:
        with self._lock:
            self._channel.connect()

    def close(self) -> None:
        self._channel.abort()  # ends the call that may hold the lock
        with self._lock:
            self._channel.close()

    def interrupt(self) -> None:
        self._channel.abort()

    def state(self) -> LinkState:
        try:
            self.run(["true"], timeout_s=CONNECT_S)
        except PhoneUnauthorized:
            return LinkState.UNAUTHORIZED
        except Unavailable:
            return LinkState.OFFLINE if self._channel.reached else LinkState.ABSENT
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
                self._channel.execute(shell.announced(command), output, timeout_s=timeout_s)
            except Unavailable:
                self._kill_abandoned(bytes(output.stdout))
                raise
            return self._result(output)

    def start(self, argv: Sequence[str], *, folder: str, environment: Mapping[str, str] | None = None) -> RemoteJob:
        command = shell.command_line(argv, environment=environment)
        started = self._shell(shell.detached(command, folder))
        if not started.stdout.strip().isdigit():
            raise PhoneOffline(f"{self.serial}: could not start a job in {folder}: {started.stderr.strip()}")
        return RemoteJob(folder, int(started.stdout))

    def poll(self, job: RemoteJob) -> int | None:
        return shell.parse_poll(self._shell(shell.poll_detached(job)).stdout)

    def kill(self, job: RemoteJob) -> None:
        self._shell(shell.kill_group(job.process_group))

    def push(self, local: Path, remote: str) -> None:
        size = local.stat().st_size
        mode = stat.S_IFREG | 0o644 | (local.stat().st_mode & 0o111)
        part = f"{remote}.part"
        with self._lock, ThreadPoolExecutor(1, "hash") as pool:
            digest = pool.submit(_sha256, local)
            self._require_space(remote, size)
            try:
                self._channel.send(local, part, mode=mode, size=size)
                self._accept(part, remote, digest.result(), size)
            except Unavailable:
                self._discard(part, size)
                raise

    def pull(self, remote: str) -> bytes:
        with self._lock:
            found = self._channel.stat(remote)
            if not stat.S_ISREG(found.mode):
                raise FileNotFoundError(f"{self.serial}:{remote} is not a file")
            return self._channel.receive(remote, size=found.size)

    def properties(self) -> Mapping[str, str]:
        return shell.parse_properties(self._shell("getprop").stdout)

    def free_bytes(self, folder: str) -> int:
        free = shell.parse_free_bytes(self._shell(f"df -k {shlex.quote(folder)}").stdout)
        if free is None:
            raise FileNotFoundError(f"{self.serial}:{folder} has no file system")
        return free

    def reboot(self) -> None:
        with self._lock:
            try:
                self._channel.reboot()
            except Unavailable as error:
                if not self._channel.reached:
                    raise
                log.debug("%s went away while it was told to reboot: %s", self.serial, error)
            self._channel.close()

    def _shell(self, command: str) -> CommandResult:
        output = shell.PacketReader()
        with self._lock:
            self._channel.execute(shell.announced(command), output, timeout_s=HOUSEKEEPING_S)
            return self._result(output)

    def _shell_or_fail(self, command: str) -> CommandResult:
        result = self._shell(command)
        if result.exit_code != 0:
            raise PhoneOffline(f"{self.serial}: {command}: {result.stderr.strip()}")
        return result

    def _result(self, output: shell.PacketReader) -> CommandResult:
        if output.exit_code is None:  # the shell's stream was closed from the far side: a dying phone
            self._channel.close()
            raise PhoneOffline(f"{self.serial} ended a command without an exit code")
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
            log.warning("%s: process group %d may still run: %s", self.serial, process_group, error)

    def _require_space(self, remote: str, size: int) -> None:
        folder = str(PurePosixPath(remote).parent)
        quoted = shlex.quote(folder)
        free = shell.parse_free_bytes(self._shell_or_fail(f"mkdir -p {quoted} && df -k {quoted}").stdout)
        if free is None:
            raise PhoneOffline(f"{self.serial}: {folder} has no file system")
        if free < size + SPACE_MARGIN:
            raise PhoneStorageFull(f"{self.serial}: {remote} needs {size} bytes, {free} are free in {folder}")

    def _accept(self, part: str, remote: str, digest: str, size: int) -> None:
        """Gives a file its final name if it is what was sent."""
        result = self.run(["sh", "-c", shell.ACCEPT, "sh", part, digest, remote], timeout_s=transfer_s(size))
        if result.exit_code == shell.DAMAGED:
            raise PhoneOffline(f"{self.serial}: {part} arrived damaged: {result.stdout.strip()}")
        if result.exit_code != 0:
            raise PhoneOffline(f"{self.serial}: {remote} could not be put in place: {result.stderr.strip()}")

    def _discard(self, part: str, size: int) -> None:
        """After a failed push: removes what arrived, and tells a full disk from a lost phone."""
        try:
            free_before = self.free_bytes(str(PurePosixPath(part).parent))
            self._shell(f"rm -f {shlex.quote(part)}")
        except (Unavailable, FileNotFoundError) as error:
            log.debug("%s: %s stays: %s", self.serial, part, error)
            return
        if free_before < SPACE_MARGIN:
            raise PhoneStorageFull(f"{self.serial}: no space left for {size} bytes at {part}")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
