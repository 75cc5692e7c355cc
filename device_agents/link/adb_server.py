"""The channel through an adb server, which may be shared: hosts where Android Studio runs too, agents in containers."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from device_agents.link import limits, shell, sync
from device_agents.link.address import USB, ServerAddress, TcpAddress, parse_address
from device_agents.link.channel import RemoteFile
from device_agents.link.deadline import Deadline, DeadlineExceeded
from device_agents.link.limits import CONNECT_S, HOUSEKEEPING_S, STALL_S, transfer_s
from device_agents.link.server_connection import ServerConnection, ServerRefused
from device_agents.link.server_place import ServerPlace
from device_agents.link.server_reasons import is_absent, is_offline, refusal
from paretofarm.errors import AdbTimeout, ConfigError, PhoneOffline, PhoneStorageFull

log = logging.getLogger(__name__)

READ_BYTES = 64 * 1024
PROBE_S = 1.5
PASSING_S = 0.2
"""A phone that is disconnected on purpose is offline for a moment, too."""
RENEWAL_POLL_S = 0.05
RENEWAL_POLLS = 20


class AdbServerChannel:
    """See `device_agents.link.channel.Channel`. device: what `adb -s` takes.

    The server holds the connection to the phone; each call here is a connection to the server.
    """

    def __init__(self, device: str, place: ServerPlace) -> None:
        self._device = device
        self._place = place
        self._deadline = Deadline()
        self._open: tuple[ServerConnection, ...] = ()
        self._aborts = 0
        self._features: frozenset[str] | None = None
        self._suspect = False
        self._dropped = False
        self.reached = False

    @property
    def address(self) -> str:
        return str(ServerAddress(self._device))

    def connect(self) -> None:
        if self._features is None:
            with self._errors_translated():
                self._deadline.limit(CONNECT_S)
                self._require_alive()
                self._features = frozenset(self._ask(f"host-serial:{self._device}:features").split(","))

    def close(self) -> None:
        self._features = None

    def abort(self) -> None:
        self._aborts += 1
        for connection in self._open:
            connection.abort()

    def execute(self, command: str, output: shell.PacketReader, *, timeout_s: float) -> None:
        self._begin(timeout_s, stall_s=limits.SIGN_OF_LIFE_S)
        with self._errors_translated():
            self._execute(command, output)

    def stat(self, remote: str) -> RemoteFile:
        self._begin(HOUSEKEEPING_S)
        with self._errors_translated(), self._stream("sync:") as stream:
            stream.send(sync.request(b"STAT", remote))
            _, mode, size, _ = sync.STAT_ANSWER.unpack(stream.read(sync.STAT_ANSWER.size))
            return RemoteFile(mode, size)

    def send(self, local: Path, remote: str, *, mode: int, size: int) -> None:
        self._begin(transfer_s(size), stall_s=STALL_S)
        with self._errors_translated(), self._stream("sync:") as stream, local.open("rb") as content:
            stream.send(sync.send_request(remote, mode))
            # A phone that cannot keep the file says so at once, and then swallows the rest.
            while (part := content.read(sync.CHUNK_BYTES)) and not stream.has_something():
                stream.send(sync.chunk(part))
            stream.send(sync.done(int(time.time())))
            answer, length = sync.HEADER.unpack(stream.read(sync.HEADER.size))
            if answer != b"OKAY":
                raise self._push_refused(stream.read(length))

    def receive(self, remote: str, *, size: int) -> bytes:
        self._begin(transfer_s(size), stall_s=STALL_S)
        with self._errors_translated(), self._stream("sync:") as stream:
            stream.send(sync.request(b"RECV", remote))
            content = bytearray()
            while True:
                answer, length = sync.HEADER.unpack(stream.read(sync.HEADER.size))
                if answer == b"DONE":
                    return bytes(content)
                part = stream.read(length)
                if answer != b"DATA":
                    raise FileNotFoundError(f"{self.address}:{remote}: {part.decode(errors='replace')}")
                content += part

    def reboot(self) -> None:
        self._begin(HOUSEKEEPING_S)
        with self._errors_translated(), self._stream("reboot:") as stream:
            while stream.receive(READ_BYTES):
                pass

    def _begin(self, timeout_s: float, *, stall_s: float | None = None) -> None:
        self.connect()
        self._deadline.limit(timeout_s, stall_s=stall_s)

    def _execute(self, command: str, output: shell.PacketReader) -> None:
        if "shell_v2" in (self._features or ()):
            with self._stream(f"shell,v2,raw:{command}") as stream:
                while output.exit_code is None and (data := self._said_next(stream)):
                    output.feed(data)
        else:
            with self._stream(f"shell:{shell.with_exit_line(command)}") as stream:
                while data := self._said_next(stream):
                    output.stdout += data
            output.exit_code, rest = shell.split_exit_line(bytes(output.stdout))
            output.stdout[:] = rest
        if output.exit_code is None:
            raise ConnectionResetError("a command ended without an exit code")

    def _said_next(self, stream: ServerConnection) -> bytes:
        """What a command says next, however long that takes on a phone that lives."""
        while not stream.has_something(limits.ASK_FOR_LIFE_S):
            self._require_life()
        return stream.receive(READ_BYTES)

    def _require_life(self) -> None:
        """Asks the phone, on a connection of its own, for a service that none has: it refuses, by itself, at once."""
        try:
            with self._stream(shell.NO_SERVICE):
                pass
        except ServerRefused as error:
            if is_absent(str(error)) or is_offline(str(error)):
                raise

    def _push_refused(self, reason: bytes) -> PhoneOffline | PhoneStorageFull:
        text = reason.decode(errors="replace")
        kind = PhoneStorageFull if "No space left" in text else PhoneOffline
        return kind(f"{self.address} refused a file: {text}")

    # The phone's connection, which the server keeps

    def _require_alive(self) -> None:
        """Renews a connection that the server has lost or that swallows what is sent. ServerRefused where it stays so.

        A phone that somebody has disconnected (`adb disconnect`, a pulled plug) is left alone.
        """
        self.reached = False
        try:
            self._ask(f"host-serial:{self._device}:get-state")
        except ServerRefused as error:
            self.reached = not is_absent(str(error))
            if not (is_offline(str(error)) or (self._dropped and is_absent(str(error)))):
                raise
            self._revive_unless_taken_away()
        self.reached = True
        if self._suspect and not self._answers():
            self._revive()
        self._suspect = False

    def _answers(self) -> bool:
        self._deadline.limit(PROBE_S)
        try:
            with self._stream("shell:true") as stream:
                while stream.receive(READ_BYTES):
                    pass
        except DeadlineExceeded:
            return False
        finally:
            self._deadline.limit(CONNECT_S)
        return True

    def _revive_unless_taken_away(self) -> None:
        if not self._dropped:
            time.sleep(PASSING_S)
            try:
                self._ask(f"host-serial:{self._device}:get-state")
                return
            except ServerRefused as error:
                if is_absent(str(error)):
                    self.reached = False
                    raise
        self._revive()

    def _revive(self) -> None:
        """Has the server connect anew, again and again until the phone is there or the call's time is over."""
        log.info("%s: the adb server shall connect anew", self.address)
        while True:
            self._renew()
            for _ in range(RENEWAL_POLLS):
                if self._is_there():
                    self._dropped = False
                    return
                self._deadline.remaining_s()
                time.sleep(RENEWAL_POLL_S)

    def _renew(self) -> None:
        if not self._is_tcp():
            self._ask(f"host-serial:{self._device}:reconnect")
            return
        # An adb server does not come back to a TCP phone that it lost, and refuses to be told `connect`.
        with suppress(ServerRefused):
            self._ask(f"host:disconnect:{self._device}")
        self._dropped = True
        said = self._ask(f"host:connect:{self._device}")
        if not said.startswith(("connected", "already")):
            self.reached = False
            raise ServerRefused(said)

    def _is_there(self) -> bool:
        try:
            self._ask(f"host-serial:{self._device}:get-state")
        except ServerRefused as error:
            if not (is_offline(str(error)) or is_absent(str(error))):
                raise
            return False
        return True

    def _is_tcp(self) -> bool:
        try:
            return not self._device.startswith(USB) and isinstance(parse_address(self._device), TcpAddress)
        except ConfigError:
            return False

    # Connections to the server

    def _ask(self, service: str) -> str:
        with self._connection() as connection:
            connection.request(service)
            return connection.read_text()

    @contextmanager
    def _stream(self, service: str) -> Iterator[ServerConnection]:
        with self._connection() as connection:
            connection.request(f"host:transport:{self._device}")
            connection.request(service)
            yield connection

    @contextmanager
    def _connection(self) -> Iterator[ServerConnection]:
        aborts = self._aborts
        with ServerConnection(self._place, self._deadline) as connection:
            others = self._open
            self._open = (*others, connection)
            try:
                if self._aborts != aborts:  # while it was being opened
                    raise ConnectionAbortedError("interrupted")
                yield connection
            finally:
                self._open = others

    @contextmanager
    def _errors_translated(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except ServerRefused as error:
            self.close()
            raise refusal(self.address, str(error)) from error
        except (DeadlineExceeded, TimeoutError) as error:
            self.close()
            self._suspect = True
            raise AdbTimeout(f"{self.address} did not answer: {error}") from error
        except ConnectionRefusedError as error:
            self.close()
            raise PhoneOffline(f"no adb server answers at {self._place}: `adb start-server`") from error
        except OSError as error:
            self.close()
            raise PhoneOffline(f"{self.address} does not answer: {error or type(error).__name__}") from error
        except BaseException:
            self.close()
            raise
