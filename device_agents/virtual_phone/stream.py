"""One stream of an ADB connection: what a service reads and writes."""

import queue
import threading
from collections.abc import Callable

from device_agents.virtual_phone.protocol import Command, Packet


class StreamClosed(Exception):
    """The other side has closed the stream, or the connection is gone."""


class Stream:
    """Blocking reads and writes with ADB's flow control: one unacknowledged packet each way.

    The connection's reader calls `deliver`, `acknowledge` and `hang_up`; a service calls the rest, from any thread.
    """

    def __init__(self, local_id: int, remote_id: int, send: Callable[[Packet], None], max_payload: int) -> None:
        self.local_id = local_id
        self.remote_id = remote_id
        self._send = send
        self._max_payload = max_payload
        self._incoming: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._pending = bytearray()
        self._write_lock = threading.Lock()
        self._acknowledged = threading.Event()
        self._closed = threading.Event()

    def deliver(self, payload: bytes) -> None:
        self._incoming.put(payload)

    def acknowledge(self) -> None:
        self._acknowledged.set()

    def hang_up(self) -> None:
        """The other side is gone: ends every wait."""
        self._closed.set()
        self._acknowledged.set()
        self._incoming.put(None)

    def accept(self) -> None:
        self._send(Packet(Command.OKAY, self.local_id, self.remote_id))

    def read_some(self) -> bytes:
        """The next bytes, as they come; `StreamClosed` at the end."""
        if self._pending:
            data = bytes(self._pending)
            self._pending.clear()
            return data
        return self._next_payload()

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes; `StreamClosed` where the stream ends before."""
        while len(self._pending) < size:
            self._pending += self._next_payload()
        data = bytes(self._pending[:size])
        del self._pending[:size]
        return data

    def _next_payload(self) -> bytes:
        payload = self._incoming.get()
        if payload is None:
            self._incoming.put(None)
            raise StreamClosed
        self._send(Packet(Command.OKAY, self.local_id, self.remote_id))
        return payload

    def write(self, data: bytes) -> None:
        """Returns when the other side has acknowledged all of it."""
        with self._write_lock:
            for start in range(0, len(data), self._max_payload):
                if self._closed.is_set():
                    raise StreamClosed
                self._acknowledged.clear()
                self._send(Packet(Command.WRTE, self.local_id, self.remote_id, data[start : start + self._max_payload]))
                self._acknowledged.wait()
        if self._closed.is_set():
            raise StreamClosed

    def close(self) -> None:
        """Ends the stream from this side. Safe to call twice."""
        if not self._closed.is_set():
            self.hang_up()
            self._send(Packet(Command.CLSE, self.local_id, self.remote_id))
