"""The TCP side of the link: adb-shell's transport without its traps (each was seen; see the comments)."""

from adb_shell.transport.base_transport import BaseTransport

from device_agents.link.deadline import Deadline
from device_agents.link.deadline_socket import DeadlineSocket


class TcpTransport(BaseTransport):
    """adb-shell's own limits are per packet and restart with each one; they are ignored, the deadline decides.

    reached: whether somebody accepted the connection, when last it was tried.
    """

    def __init__(self, host: str, port: int) -> None:
        self.reached = False
        self.deadline = Deadline()
        self._place = (host, port)
        self._socket: DeadlineSocket | None = None

    def abort(self) -> None:
        """Ends every wait at once, from any thread. The connection stays to be closed."""
        if connection := self._socket:
            connection.abort()

    def connect(self, transport_timeout_s: float | None) -> None:
        self.reached = False
        self._socket = DeadlineSocket(*self._place, self.deadline)
        self.reached = True

    def close(self) -> None:
        connection, self._socket = self._socket, None
        if connection:
            connection.close()

    def bulk_read(self, numbytes: int, transport_timeout_s: float | None) -> bytes:
        data = self._live().receive(numbytes)
        if not data:
            # adb-shell's own transport returns b"" and its caller spins on it until the timeout.
            raise ConnectionResetError("the phone closed the connection")
        return data

    def has_something(self, within_s: float) -> bool:
        return self._live().has_something(within_s)

    def bulk_write(self, data: bytes, transport_timeout_s: float | None) -> int:
        # adb-shell's callers ignore how much of a packet was taken.
        self._live().send(data)
        return len(data)

    def _live(self) -> DeadlineSocket:
        if self._socket is None:
            raise ConnectionResetError("the connection was closed")
        return self._socket
