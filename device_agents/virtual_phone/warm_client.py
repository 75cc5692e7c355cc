"""The programs in the phone's `bin` folder that run networks: `warm_runner` runs the tool for it, or it does.

It starts in a third of the time that its obvious form would take: `socket`, `json` and `pathlib` are not imported.
The socket is only ever named relative to its folder, since such names may have no more than 107 bytes.
"""

import _socket
import os
from array import array

SOCKET = "warm.sock"
MAX_REQUEST = 64 * 1024
KILLED = 137


def main(argv: list[str]) -> int:
    """The exit code of the tool, here or in the server's child. `argv`: the server's folder, the tool's words."""
    folder, *words = argv
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        os.chdir(folder)
        server.connect(SOCKET)
        passed = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array("i", [1, 2, here]))
        server.sendmsg([request(words)], [passed])
    except OSError:  # the phone has just been switched on, or its server was killed
        os.fchdir(here)
        return _run_here(words)
    try:
        answer = server.recv(1)
    except ConnectionResetError:  # killed before it had read the request
        return KILLED
    return answer[0] if answer else KILLED


def request(words: list[str]) -> bytes:
    """The tool's name and arguments, as bytes that `requested` reads."""
    return os.fsencode("\0".join(words)) + b"\0"


def requested(request: bytes) -> list[str]:
    return os.fsdecode(request).split("\0")[:-1]


def _run_here(words: list[str]) -> int:
    from device_agents.virtual_phone.runners import run_tool

    return run_tool(words)
