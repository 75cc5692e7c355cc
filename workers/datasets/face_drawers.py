"""Draws the missing faces of a set in several processes, each every n-th face (threads would share one GIL)."""

import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from typing import IO

from paretofarm.errors import DataError, WorkerCrashed
from workers.datasets.draw_faces import CANNOT_WRITE
from workers.datasets.face_set import FaceSet

STALL_S = 300.0
"""Longest time without a face from any process; the largest one takes seconds."""

# -P: a folder of the user's that is called like one of our packages must not be imported.
PROGRAM = (sys.executable, "-P", "-m", "workers.datasets.draw_faces")
END_S = 30.0


class Drawer:
    """One process. It writes a byte to `output` for each face it has drawn, and to `complaints` what went wrong."""

    def __init__(self, command: list[str], complaints: IO[bytes], keep_open: int) -> None:
        self._complaints = complaints
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            pass_fds=(keep_open,),
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )

    @property
    def output(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def finish(self) -> None:
        """Waits for its end. Errors: `DataError` (in its own words), `WorkerCrashed` (how it ended)."""
        try:
            code = self._process.wait(timeout=END_S)
        except subprocess.TimeoutExpired as error:
            raise WorkerCrashed(f"a process that draws faces did not end within {END_S:.0f} s") from error
        self._complaints.seek(0)
        complaints = self._complaints.read().decode(errors="replace").strip().splitlines()
        if code == CANNOT_WRITE and complaints:
            raise DataError(complaints[-1])
        if code:
            end = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            raise WorkerCrashed(": ".join([f"a process that draws faces {end}", *complaints[-1:]]))

    def stop(self) -> None:
        """Kills it, if it still runs: a face is written whole or not at all."""
        self._process.kill()
        self._process.wait(timeout=END_S)
        self.output.close()


def draw_in_processes(faces: FaceSet, count: int, processes: int, lock: int, drawn: Callable[[int], None]) -> None:
    """Draws what is missing of the first `count` faces; `drawn` hears how many more are there, as they come.

    lock: a file that every process keeps open until its end. When one fails the others are killed. When this process
    is, they end with their next face. Errors: `DataError`, `WorkerCrashed`.
    """
    with ExitStack() as running:
        drawers = []
        for first in range(processes):
            complaints = running.enter_context(tempfile.TemporaryFile())
            drawers.append(Drawer(_command(faces, count, first, processes), complaints, lock))
            running.callback(drawers[-1].stop)
        _listen(drawers, drawn)


def _command(faces: FaceSet, count: int, first: int, step: int) -> list[str]:
    numbers = {"--first": first, "--step": step, "--count": count, "--size": faces.size, "--seed": faces.seed}
    words = [word for name, number in numbers.items() for word in (name, str(number))]
    return [*PROGRAM, f"--folder={faces.folder.absolute()}", *words]


def _listen(drawers: list[Drawer], drawn: Callable[[int], None]) -> None:
    with selectors.DefaultSelector() as selector:
        for drawer in drawers:
            selector.register(drawer.output, selectors.EVENT_READ, drawer)
        while selector.get_map():
            ready = selector.select(STALL_S)
            if not ready:
                raise WorkerCrashed(f"no face was drawn for {STALL_S:.0f} s")
            for key, _ in ready:
                if faces := os.read(key.fd, 65536):
                    drawn(len(faces))
                else:
                    selector.unregister(key.fileobj)
                    key.data.finish()
