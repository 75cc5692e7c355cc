"""The processes of a phone's shell: started in sessions of their own, found again by a mark, killed together."""

import logging
import os
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

log = logging.getLogger(__name__)

# In the environment of everything the phone starts, inherited by whatever a command detaches.
MARK = "PARETOFARM_VIRTUAL_PHONE"
PR_SET_CHILD_SUBREAPER = 36


class ProcessTable:
    """Starts shells and kills all that came of them, also what a predecessor left (killed phones cannot clean up)."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self._mark = f"{MARK}={root}"
        self._environment = environment | {MARK: str(root)}
        self._root = root
        self._lock = threading.Lock()
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._daemons: list[subprocess.Popen[bytes]] = []

    def start(self, argv: list[str], *, stdin: int, stdout: int, stderr: int) -> subprocess.Popen[bytes]:
        """Starts argv in the root folder, as leader of a session and process group."""
        with self._lock:
            self._reap_orphans()
            process = subprocess.Popen(
                argv,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                cwd=self._root,
                env=self._environment,
                start_new_session=True,
            )
            self._running[process.pid] = process
            return process

    def start_daemon(self, argv: list[str]) -> None:
        """Starts what runs until the phone goes off; what it has to say goes nowhere.

        Its stdin ends when this process does, however it does: a daemon must end then, too.
        """
        nowhere = subprocess.DEVNULL
        self._daemons.append(self.start(argv, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere))

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """Exit code as a shell reports it: 128 + signal for one that was killed."""
        code = process.wait()
        with self._lock:
            self._running.pop(process.pid, None)
        return code if code >= 0 else 128 - code

    def kill_all(self) -> None:
        """Kills every process that carries the mark, and what descends from it: a process shows no environment while it
        becomes another program, nor after `env -i`. Repeated, as they may be forking."""
        for _ in range(3):
            victims = _with_descendants(self._marked())
            for pid in victims:
                _kill(pid)
            if not victims:
                break
        while self._daemons:
            daemon = self._daemons.pop()
            assert daemon.stdin is not None
            daemon.stdin.close()
            self.wait(daemon)
        with self._lock:
            self._reap_orphans()

    def _marked(self) -> Iterator[int]:
        mark = os.fsencode(self._mark) + b"\0"
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) == os.getpid():
                continue
            try:
                environment = Path("/proc", name, "environ").read_bytes()
            except OSError:  # gone, or somebody else's
                continue
            if environment.startswith(mark) or b"\0" + mark in environment:
                yield int(name)

    def _reap_orphans(self) -> None:
        """What detached jobs leave comes to us (see `adopt_orphans`) and would stay a zombie."""
        for pid in _children("self"):
            if pid not in self._running:
                _reap(pid)


def _with_descendants(pids: Iterable[int]) -> set[int]:
    found, ahead = set[int](), list(pids)
    while ahead:
        pid = ahead.pop()
        if pid not in found:
            found.add(pid)
            ahead += _children(str(pid))
    return found


def _children(process: str) -> list[int]:
    """process: a name below /proc."""
    folder = Path("/proc", process, "task")
    try:
        threads = os.listdir(folder)
    except OSError:  # the process has ended
        return []
    return [pid for thread in threads for pid in _numbers(folder / thread / "children")]


def _numbers(listing: Path) -> list[int]:
    try:
        return [int(word) for word in listing.read_text().split()]
    except OSError:  # the thread has ended
        return []


def adopt_orphans() -> None:
    """Makes this process the parent of its orphaned descendants, so that their end can be seen. Linux only."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        log.debug("cannot adopt orphans: %s", os.strerror(ctypes.get_errno()))


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        log.debug("process %d has ended", pid)


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        log.debug("process %d was reaped", pid)
