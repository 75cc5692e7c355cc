"""The TCP side of the link: adb-shell's transport without its traps (each was seen; see the comments)."""

import contextlib
import select
import socket
import time

from adb_shell.transport.tcp_transport import TcpTransport

KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 5), (socket.TCP_KEEPINTVL, 3), (socket.TCP_KEEPCNT, 3))


class DeadlineExceeded(Exception):
    """The phone did not answer within the limit of the call."""


class Transport(TcpTransport):
    """A socket whose every wait ends at the deadline of the call in progress.

    adb-shell's own limits are per packet and restart with each one; they are passed, but this deadline decides.
    """

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self._deadline = 0.0
        self._stall_s = 0.0
        self.reached = False

    def limit(self, timeout_s: float, *, stall_s: float | None = None) -> None:
        """Sets the deadline of the next call, and the longest single wait within it."""
        self._deadline = time.monotonic() + timeout_s
        self._stall_s = timeout_s if stall_s is None else stall_s

    def abort(self) -> None:
        """Ends every wait at once, from any thread. The socket stays to be closed."""
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def connect(self, transport_timeout_s: float | None) -> None:
        self.reached = False
        connection = socket.create_connection((self._host, self._port), timeout=self._remaining())
        # Nagle against delayed acknowledgements: 46 ms for a trivial command, 40 s for a push of 30 MB.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEP_ALIVE:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
        connection.setblocking(False)
        self._connection = connection
        self.reached = True

    def bulk_read(self, numbytes: int, transport_timeout_s: float | None) -> bytes:
        self._wait(readable=True)
        data: bytes = self._connection.recv(numbytes)
        if not data:
            # The parent returns b"" and its caller spins on it until the timeout.
            raise ConnectionResetError("the phone closed the connection")
        return data

    def bulk_write(self, data: bytes, transport_timeout_s: float | None) -> int:
        # The parent's callers ignore how much of a packet a full socket took.
        view = memoryview(data)
        while view:
            self._wait(readable=False)
            with contextlib.suppress(BlockingIOError):
                view = view[self._connection.send(view) :]
        return len(data)

    def _wait(self, *, readable: bool) -> None:
        if self._connection is None:
            raise ConnectionResetError("the connection was closed")
        wait_s = min(self._remaining(), self._stall_s)
        poll = select.poll()  # unlike select(), good for file descriptors above 1023
        poll.register(self._connection, select.POLLIN if readable else select.POLLOUT)
        if not poll.poll(wait_s * 1000):
            raise DeadlineExceeded(f"no answer for {wait_s:.1f} s")

    def _remaining(self) -> float:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise DeadlineExceeded("the time limit of the call is over")
        return remaining
