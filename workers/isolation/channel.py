"""JSON messages, one a line, over a socket."""

import json
import select
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

Message = dict[str, Any]


class Channel:
    """One end of a socket pair. `receive` belongs to one thread; `finish_sending` may come from any."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._unread = b""

    def send(self, message: Mapping[str, Any]) -> None:
        """Blocks while the other end does not read. BrokenPipeError where it is gone."""
        self._socket.sendall(_encode(message))

    def send_now(self, message: Mapping[str, Any]) -> None:
        """Sends without ever blocking; the message is lost where the other end is gone or does not read."""
        with suppress(OSError):
            # A process that was killed may have left half a line.
            self._socket.send(b"\n" + _encode(message), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    def receive(self, deadline: float | None = None) -> Message | None:
        """The next message, None after the last. TimeoutError at the deadline (`time.monotonic()`)."""
        while True:
            while b"\n" not in self._unread:
                # Not settimeout: it would make the socket non-blocking for the forked child as well.
                chunk = self._wait_and_read(deadline)
                if not chunk:
                    return None
                self._unread += chunk
            line, _, self._unread = self._unread.partition(b"\n")
            if (message := _decode(line)) is not None:
                return message

    def hang_up(self) -> None:
        """Ends both directions: whoever waits in `receive` sees the end at once."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def finish_sending(self) -> None:
        """Tells the other end that nothing more will come."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def _wait_and_read(self, deadline: float | None) -> bytes:

        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        wait_ms = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
        if not poller.poll(wait_ms):
            raise TimeoutError
        try:
            return self._socket.recv(65536)
        except ConnectionResetError:
            return b""


def _encode(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, allow_nan=False).encode() + b"\n"


def _decode(line: bytes) -> Message | None:
    """None for a line that a kill cut short."""
    try:
        message: Message = json.loads(line)
        return message
    except ValueError:
        return None
