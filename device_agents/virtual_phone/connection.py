"""One client's connection: handshake, authentication, and the streams that it opens."""

import logging
import os
import socket
import threading
from collections.abc import Callable

from device_agents.virtual_phone.authorization import AuthorizedKeys
from device_agents.virtual_phone.protocol import (
    MAX_PAYLOAD,
    VERSION,
    VERSION_WITH_CHECKSUM,
    AuthKind,
    Command,
    Packet,
    ProtocolError,
    read_packet,
)
from device_agents.virtual_phone.stream import Stream, StreamClosed
from paretofarm.errors import ConfigError

log = logging.getLogger(__name__)

TOKEN_BYTES = 20
# Runs one service to its end; the stream is closed after it. None where there is no such service.
Service = Callable[[Stream], None]
ServiceFinder = Callable[[str], Service | None]


class Connection:
    """Reads packets in the thread that calls `serve`; each stream's service runs in a thread of its own."""

    def __init__(
        self, client: socket.socket, *, banner: bytes, keys: AuthorizedKeys | None, find_service: ServiceFinder
    ) -> None:
        self._client = client
        self._banner = banner
        self._keys = keys
        self._find_service = find_service
        self._send_lock = threading.Lock()
        self._streams: dict[int, Stream] = {}
        self._streams_lock = threading.Lock()
        self._next_id = 1
        self._with_checksum = True
        self._max_payload = 4096
        self._online = False
        self._token = b""

    def serve(self) -> None:
        """Returns when the client has gone or broken the protocol."""
        try:
            while True:
                self._handle(read_packet(self._client, verify_checksum=self._with_checksum))
        except (OSError, ProtocolError, StreamClosed) as error:
            log.debug("connection ended: %s", error)
        except ConfigError as error:
            log.error("%s", error)
        finally:
            self.drop()

    def drop(self) -> None:
        """Cuts the connection, from any thread."""
        try:
            self._client.shutdown(socket.SHUT_RDWR)
        except OSError as error:
            log.debug("already closed: %s", error)
        self._client.close()
        with self._streams_lock:
            streams = list(self._streams.values())
            self._streams.clear()
        for stream in streams:
            stream.hang_up()

    def _send(self, packet: Packet) -> None:
        data = packet.pack(with_checksum=self._with_checksum)
        try:
            with self._send_lock:
                self._client.sendall(data)
        except OSError as error:
            raise StreamClosed from error

    def _handle(self, packet: Packet) -> None:
        if packet.command == Command.CNXN:
            self._greet(packet)
        elif packet.command == Command.AUTH:
            self._authenticate(packet)
        elif not self._online:
            raise ProtocolError(f"{packet.command.name} before authentication")
        elif packet.command == Command.OPEN:
            self._open(packet)
        else:
            self._route(packet)

    def _greet(self, packet: Packet) -> None:
        self._with_checksum = min(packet.arg0, VERSION) <= VERSION_WITH_CHECKSUM
        self._max_payload = min(packet.arg1, MAX_PAYLOAD)
        if self._keys is None:
            self._welcome()
        else:
            self._challenge()

    def _challenge(self) -> None:
        self._token = os.urandom(TOKEN_BYTES)
        self._send(Packet(Command.AUTH, AuthKind.TOKEN, 0, self._token))

    def _authenticate(self, packet: Packet) -> None:
        if self._keys is None or not self._token:
            raise ProtocolError("authentication was not asked for")
        if packet.arg0 != AuthKind.SIGNATURE:
            # A real phone now asks its owner, and says nothing until the owner has decided.
            log.info("a client with an unknown key waits")
        elif self._keys.accept(self._token, packet.payload):
            self._welcome()
        else:
            self._challenge()

    def _welcome(self) -> None:
        self._online = True
        self._token = b""
        version = VERSION_WITH_CHECKSUM if self._with_checksum else VERSION
        self._send(Packet(Command.CNXN, version, MAX_PAYLOAD, self._banner))

    def _open(self, packet: Packet) -> None:
        destination = packet.payload.rstrip(b"\0").decode("utf-8", "surrogateescape")
        service = self._find_service(destination)
        if service is None:
            log.debug("no service %s", destination)
            self._send(Packet(Command.CLSE, 0, packet.arg0))
            return
        with self._streams_lock:
            stream = Stream(self._next_id, packet.arg0, self._send, self._max_payload)
            self._streams[stream.local_id] = stream
            self._next_id += 1
        stream.accept()
        threading.Thread(
            target=self._run, args=(service, stream), name=f"stream {stream.local_id}", daemon=True
        ).start()

    def _run(self, service: Service, stream: Stream) -> None:
        try:
            service(stream)
            stream.close()
        except StreamClosed:
            log.debug("stream %d was closed by the client", stream.local_id)
        except OSError as error:
            log.error("stream %d: %s", stream.local_id, error)
            stream.hang_up()
        finally:
            with self._streams_lock:
                self._streams.pop(stream.local_id, None)

    def _route(self, packet: Packet) -> None:
        with self._streams_lock:
            stream = self._streams.get(packet.arg1)
        if stream is None:
            # Closed meanwhile. Whatever still arrives is answered as a daemon answers it.
            if packet.command == Command.WRTE:
                self._send(Packet(Command.CLSE, 0, packet.arg0))
        elif packet.command == Command.WRTE:
            stream.deliver(packet.payload)
        elif packet.command == Command.OKAY:
            stream.acknowledge()
        elif packet.command == Command.CLSE:
            with self._streams_lock:
                self._streams.pop(stream.local_id, None)
            stream.close()
