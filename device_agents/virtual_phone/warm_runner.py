"""Starts the phone's `onnxruntime_perf_test` without a wait: forked from a process that has it loaded already.

A handset starts the real tool in milliseconds; Python, numpy and onnxruntime take a fifth of a second, and a
measurement starts it a dozen times. The program in the phone's `bin` folder is a client: it passes its arguments,
outputs and folder to the server, and ends with the exit code of the child that the server forked for it. If the
client is killed, so is the child. Without a server the client runs the tool itself.

Standard library only until the tool itself is loaded; the socket is only ever named relative to its folder, since
such names may have no more than 107 bytes.
"""

import json
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

SOCKET = "warm.sock"
PHONE = 0
"""Standard input: a pipe that the phone holds open and never writes to."""
MAX_REQUEST = 64 * 1024
KILLED = 137


def serve(folder: str) -> None:
    """Forks a child for each client, until the phone has gone. Errors: OSError where the socket cannot be made."""
    os.chdir(folder)
    Path(SOCKET).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(SOCKET)
    os.chmod(SOCKET, 0o600)
    listener.listen()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are nobody's zombies: they answer for themselves
    from device_agents.virtual_phone import perf_test

    perf_test.load()  # starts no threads: they would not survive a fork
    while listener.fileno() in select.select([listener.fileno(), PHONE], [], [])[0]:
        client, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            os._exit(_run(client))
        client.close()


def main(argv: Sequence[str]) -> int:
    """The program: exit code of the tool, here or in the server's child. `argv[0]`: the server's folder."""
    folder, *arguments = argv
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        try:
            os.chdir(folder)
            server.connect(SOCKET)
            socket.send_fds(server, [json.dumps(arguments).encode()], [1, 2, here])
        except OSError:  # the phone has just been switched on, or its server was killed
            return _run_here(here, arguments)
        answer = server.recv(1)
    return answer[0] if answer else KILLED


def _run_here(folder: int, arguments: list[str]) -> int:
    os.fchdir(folder)
    from device_agents.virtual_phone import perf_test

    return perf_test.main(arguments)


def _run(client: socket.socket) -> int:
    """In the child: becomes the client's program, answers with its exit code, and ends when the client does."""
    from device_agents.virtual_phone import perf_test

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request, (stdout, stderr, folder), _, _ = socket.recv_fds(client, MAX_REQUEST, 3)
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.fchdir(folder)
    threading.Thread(target=_follow, args=(client,), daemon=True).start()
    try:
        code = perf_test.main(json.loads(request))
    except SystemExit as usage:
        code = int(usage.code or 0)
    sys.stdout.flush()
    sys.stderr.flush()
    client.send(bytes([code]))
    return code


def _follow(client: socket.socket) -> None:
    """Nothing more is ever sent: what ends the wait is the client's end."""
    client.recv(1)
    os._exit(KILLED)
