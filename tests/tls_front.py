"""TLS in front of the embedded servers, whose programs are built without: what stunnel or a load balancer does."""

import asyncio
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SSL_REQUEST = struct.pack("!II", 8, 80877103)
"""A Postgres client asks for TLS before anything else, in clear text; the server agrees with one letter."""
LOOPBACK = "127.0.0.1"


class TlsFront:
    """Ends TLS on a free loopback port and hands everything on to a unix socket. postgres: by Postgres' opening."""

    def __init__(self, socket: Path, certificate: tuple[Path, Path], *, postgres: bool) -> None:
        self._socket = socket
        self._postgres = postgres
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(*certificate)
        self.port = 0

    async def serve(self) -> asyncio.Server:
        context = None if self._postgres else self._context
        server = await asyncio.start_server(self._connected, LOOPBACK, 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError):
            if self._postgres:
                if await reader.readexactly(len(SSL_REQUEST)) != SSL_REQUEST:
                    writer.close()
                    return
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(self._context)
            behind, to_behind = await asyncio.open_unix_connection(str(self._socket))
            await asyncio.gather(_pump(reader, to_behind), _pump(behind, writer))


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    target.close()


@contextmanager
def tls_front(socket: Path, certificate: tuple[Path, Path], *, postgres: bool) -> Iterator[int]:
    """The port, on 127.0.0.1."""
    front = TlsFront(socket, certificate, postgres=postgres)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(front.serve())
    thread = threading.Thread(target=loop.run_forever, name="tls-front")
    thread.start()
    try:
        yield front.port
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _close(server: asyncio.Server) -> None:
    server.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
