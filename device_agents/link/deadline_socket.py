"""A TCP connection to adbd or to an adb server. What it avoids was seen to happen; see the comments."""

import contextlib
import select
import socket

from device_agents.link.deadline import Deadline, DeadlineExceeded

KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 5), (socket.TCP_KEEPINTVL, 3), (socket.TCP_KEEPCNT, 3))


class DeadlineSocket:
    """Every wait ends at the deadline of the call in progress. Raises OSError and `DeadlineExceeded`."""

    def __init__(self, host: str, port: int, deadline: Deadline) -> None:
        self._connection = socket.create_connection((host, port), timeout=deadline.remaining_s())
        # Nagle against delayed acknowledgements: 46 ms for a trivial command, 40 s for a push of 30 MB.
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEP_ALIVE:
            self._connection.setsockopt(socket.IPPROTO_TCP, option, value)
        self._connection.setblocking(False)
        self._deadline = deadline

    def receive(self, size: int) -> bytes:
        """At least one byte; b"" at the end of the stream."""
        while True:
            self._wait(select.POLLIN)
            with contextlib.suppress(BlockingIOError):
                return self._connection.recv(size)

    def send(self, data: bytes | bytearray) -> None:
        """All of it: a full socket takes a part at a time."""
        view = memoryview(data)
        while view:
            with contextlib.suppress(BlockingIOError):
                view = view[self._connection.send(view) :]
            if view:
                self._wait(select.POLLOUT)

    def has_something(self, within_s: float = 0.0) -> bool:
        """Whether `receive` would return at once, so many seconds from now at the latest."""
        return bool(self._poll(select.POLLIN, min(within_s, self._deadline.remaining_s()) if within_s else 0.0))

    def abort(self) -> None:
        """Ends every wait at once, from any thread. The socket stays to be closed."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._connection.close()

    def _wait(self, event: int) -> None:
        wait_s = self._deadline.wait_s()
        if not self._poll(event, wait_s):
            raise DeadlineExceeded(f"no answer for {wait_s:.1f} s")

    def _poll(self, event: int, wait_s: float) -> list[tuple[int, int]]:
        poll = select.poll()  # unlike select(), good for file descriptors above 1023
        poll.register(self._connection, event)
        return poll.poll(wait_s * 1000)
