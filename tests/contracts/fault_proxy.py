"""A TCP proxy in front of a phone that fails as cables and networks do."""

import contextlib
import socket
import struct
import threading
import time
from enum import StrEnum

SLOW_S = 0.01


class Fault(StrEnum):
    NONE = "none"
    RESET = "reset"  # both sides see the connection reset
    CUT = "cut"  # the same, once: whoever connects again gets through
    SWALLOW = "swallow"  # everything after stays open and silent
    SLOW = "slow"  # everything after takes a hundredth of a second per 16 KB


class FaultProxy:
    """Passes bytes on until `after_bytes` have passed, either way; then does as `fault` says, once armed."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._fault = Fault.NONE
        self._left = 0
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "FaultProxy":
        return self

    def __exit__(self, *exc: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._sockets:
                connection.close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def arm(self, fault: Fault, *, after_bytes: int = 0) -> None:
        with self._lock:
            self._fault, self._left = fault, after_bytes

    def disarm(self) -> None:
        self.arm(Fault.NONE)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                phone = socket.create_connection(self._target)
            except OSError:
                _reset(client)
                continue
            for connection in (client, phone):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._sockets += [client, phone]
            threading.Thread(target=self._pump, args=(client, phone), daemon=True).start()
            threading.Thread(target=self._pump, args=(phone, client), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(16384):
                if self._struck(len(data)):
                    if self._fault in (Fault.RESET, Fault.CUT):
                        if self._fault == Fault.CUT:
                            self.disarm()
                        _reset(source)
                        _reset(sink)
                        return
                    if self._fault == Fault.SWALLOW:
                        continue
                    time.sleep(SLOW_S)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            _reset(sink)

    def _struck(self, count: int) -> bool:
        with self._lock:
            if self._fault == Fault.NONE:
                return False
            self._left -= count
            return self._left <= 0


def _reset(connection: socket.socket) -> None:
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)  # wakes a thread that waits in recv()
    except OSError:
        return
    finally:
        connection.close()
