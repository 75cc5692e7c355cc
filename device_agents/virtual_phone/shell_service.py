"""The services `shell:` and `shell,v2,…:`, by this machine's /bin/sh."""

import os
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from device_agents.link.shell import PACKET_HEADER, PacketId
from device_agents.virtual_phone.paths import OutputMapper, map_command, output_roots
from device_agents.virtual_phone.processes import ProcessTable
from device_agents.virtual_phone.stream import Stream, StreamClosed

CHUNK = 64 * 1024
SHELL = "/bin/sh"


@dataclass(frozen=True)
class ShellService:
    """Runs commands. `shell_root` is a name of the root folder that needs no quoting in a shell."""

    root: Path
    shell_root: Path
    processes: ProcessTable

    def run_v2(self, command: str, stream: Stream) -> None:
        """Packets of the shell protocol: both outputs apart, and the exit code."""
        process = self._start(command, stderr=subprocess.PIPE)
        assert process.stdout is not None and process.stderr is not None and process.stdin is not None
        threading.Thread(target=_feed_packets, args=(stream, self._typed(command, process.stdin)), daemon=True).start()
        errors = threading.Thread(target=self._pump, args=(process.stderr, stream, PacketId.STDERR), daemon=True)
        errors.start()
        self._pump(process.stdout, stream, PacketId.STDOUT)
        errors.join()
        code = self.processes.wait(process)
        stream.write(_packet(PacketId.EXIT, bytes([code & 0xFF])))

    def run_v1(self, command: str, stream: Stream) -> None:
        """One raw stream: outputs mixed, no exit code."""
        process = self._start(command, stderr=subprocess.STDOUT)
        assert process.stdout is not None and process.stdin is not None
        threading.Thread(target=_feed_raw, args=(stream, self._typed(command, process.stdin)), daemon=True).start()
        self._pump(process.stdout, stream, None)
        self.processes.wait(process)

    def _start(self, command: str, *, stderr: int) -> subprocess.Popen[bytes]:
        argv = [SHELL, "-c", map_command(self.shell_root, command)] if command else [SHELL]
        return self.processes.start(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr)

    def _typed(self, command: str, stdin: IO[bytes]) -> "IO[bytes] | CommandLines":
        """Where input goes: to a command as it is, to a shell without a command as commands."""
        return stdin if command else CommandLines(stdin, self.shell_root)

    def _pump(self, source: IO[bytes], stream: Stream, kind: PacketId | None) -> None:
        """Copies one output. If the client leaves, the command lives on until it writes, as on a phone."""
        mapper = OutputMapper(output_roots(self.root, self.shell_root))
        try:
            with source:
                while data := os.read(source.fileno(), CHUNK):
                    _send(stream, kind, mapper.feed(data))
                _send(stream, kind, mapper.finish())
        except StreamClosed:
            return


class CommandLines:
    """The input of a shell: passed on by the line, with the phone's paths replaced as in any command."""

    def __init__(self, sink: IO[bytes], shell_root: Path) -> None:
        self._sink = sink
        self._shell_root = shell_root
        self._line = b""

    def __enter__(self) -> "CommandLines":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._sink.write(self._mapped(line) + b"\n")

    def flush(self) -> None:
        self._sink.flush()

    def close(self) -> None:
        if not self._sink.closed:
            self._sink.write(self._mapped(self._line))
            self._line = b""
        self._sink.close()

    def _mapped(self, line: bytes) -> bytes:
        text = line.decode("utf-8", "surrogateescape")
        return map_command(self._shell_root, text).encode("utf-8", "surrogateescape")


def _send(stream: Stream, kind: PacketId | None, data: bytes) -> None:
    if data:
        stream.write(data if kind is None else _packet(kind, data))


def _packet(kind: PacketId, payload: bytes) -> bytes:
    return PACKET_HEADER.pack(kind, len(payload)) + payload


def _feed_packets(stream: Stream, sink: "IO[bytes] | CommandLines") -> None:
    try:
        with sink:
            while True:
                kind, size = PACKET_HEADER.unpack(stream.read(PACKET_HEADER.size))
                payload = stream.read(size)
                if kind == PacketId.CLOSE_STDIN:
                    break
                if kind == PacketId.STDIN:
                    sink.write(payload)
                    sink.flush()
            sink.close()
            while True:  # keeps acknowledging, as what follows is not for the command
                stream.read_some()
    except (StreamClosed, BrokenPipeError):
        return


def _feed_raw(stream: Stream, sink: "IO[bytes] | CommandLines") -> None:
    try:
        with sink:
            while True:
                sink.write(stream.read_some())
                sink.flush()
    except (StreamClosed, BrokenPipeError):
        return
