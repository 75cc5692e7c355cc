"""One connection to an adb server: a question and its answer, or a stream to a phone (AOSP `SERVICES.TXT`)."""

from device_agents.link.deadline import Deadline
from device_agents.link.deadline_socket import DeadlineSocket
from device_agents.link.server_place import ServerPlace
from paretofarm.errors import ConfigError

LONGEST = 0xFFFF


class ServerRefused(Exception):
    """The adb server's answer is FAIL; the text is its reason."""


class ServerConnection:
    """Raises OSError, `DeadlineExceeded` and `ServerRefused`. An adb server is never started: it would take USB
    phones from an agent that holds them.
    """

    def __init__(self, place: ServerPlace, deadline: Deadline) -> None:
        self._socket = DeadlineSocket(place.host, place.port, deadline)

    def __enter__(self) -> "ServerConnection":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def request(self, service: str) -> None:
        """Asks for a service and waits until it is granted. ConfigError where the text is longer than ADB allows."""
        encoded = service.encode("utf-8", "surrogateescape")
        if len(encoded) > LONGEST:
            raise ConfigError(f"a command of {len(encoded)} bytes is too long for an adb server: {LONGEST} at most")
        self._socket.send(b"%04x" % len(encoded) + encoded)
        answer = self.read(4)
        if answer == b"FAIL":
            raise ServerRefused(self.read_text())
        if answer != b"OKAY":
            raise ConnectionError(f"no adb server: it answered {answer!r}")

    def read_text(self) -> str:
        """A text with its length before it."""
        length = self.read(4)
        try:
            return self.read(int(length, 16)).decode(errors="replace")
        except ValueError as error:
            raise ConnectionError(f"no adb server: it sent {length!r} for a length") from error

    def read(self, size: int) -> bytes:
        """Exactly so many bytes."""
        data = bytearray()
        while len(data) < size:
            received = self._socket.receive(size - len(data))
            if not received:
                raise ConnectionResetError("the adb server closed the connection")
            data += received
        return bytes(data)

    def receive(self, size: int) -> bytes:
        """Some bytes; b"" at the end of the stream."""
        return self._socket.receive(size)

    def send(self, data: bytes | bytearray) -> None:
        self._socket.send(data)

    def has_something(self, within_s: float = 0.0) -> bool:
        """Whether there is something to read at once, so many seconds from now at the latest."""
        return self._socket.has_something(within_s)

    def abort(self) -> None:
        """Ends every wait at once, from any thread."""
        self._socket.abort()

    def close(self) -> None:
        self._socket.close()
