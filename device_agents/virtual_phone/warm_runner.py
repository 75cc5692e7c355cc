"""Starts the phone's programs that run networks without a wait: forked from a process that has onnxruntime loaded.

A handset starts the real tools in milliseconds; Python, numpy and onnxruntime take a fifth of a second, and a
measurement starts one dozens of times. The program in the phone's `bin` folder is a client (`warm_client`): it passes
its name, arguments, outputs and folder, and ends with the exit code of the child that was forked for it. If the client
is killed, so is the child.
"""

import os
import select
import signal
import socket
import sys
import threading
from pathlib import Path

from device_agents.virtual_phone.warm_client import KILLED, MAX_REQUEST, SOCKET, requested

PHONE = 0
"""Standard input: a pipe that the phone holds open and never writes to."""


def serve(folder: str) -> None:
    """Forks a child for each client, until the phone has gone. Errors: OSError where the socket cannot be made."""
    os.chdir(folder)
    Path(SOCKET).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(SOCKET)
    os.chmod(SOCKET, 0o600)
    listener.listen()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are nobody's zombies: they answer for themselves
    from device_agents.virtual_phone import runners

    runners.load()  # starts no threads: they would not survive a fork
    while listener.fileno() in select.select([listener.fileno(), PHONE], [], [])[0]:
        client, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            os._exit(_run(client))
        client.close()


def _run(client: socket.socket) -> int:
    """In the child: becomes the client's program, answers with its exit code, and ends when the client does."""
    from device_agents.virtual_phone.runners import run_tool

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request, (stdout, stderr, folder), _, _ = socket.recv_fds(client, MAX_REQUEST, 3)
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.fchdir(folder)
    threading.Thread(target=_follow, args=(client,), daemon=True).start()
    try:
        code = run_tool(requested(request))
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
