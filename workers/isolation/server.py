"""The fork server's process: `python -m workers.isolation.server`, started by `fork_server.ForkServer` only.

1. Imports the jobs module and warms it up.
2. Waits for descriptors on the control socket: one socket per job.
3. Reads the job and forks a child, which answers over that socket.
4. Reports the end of each child over the same socket.

A job whose client shuts its end is killed; when the control socket ends, all are, and so does the server.
It has one thread: a child forked while another thread holds a lock would wait for that lock for ever.
"""

import argparse
import gc
import importlib
import os
import select
import signal
import socket
import tempfile
import time
import traceback
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from workers.isolation.channel import Channel, Message
from workers.isolation.child import ChildSettings, Jobs, run_job, settle
from workers.isolation.log_tail import tail

HAND_OVER_TIMEOUT_S = 10.0
"""A client writes the job right after it has handed over the socket."""


@dataclass(frozen=True)
class _Running:
    """A forked job, what it answers over, and where its stdout and stderr go."""

    process_id: int
    channel: Channel
    output: IO[bytes]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="workers.isolation.server")
    parser.add_argument("--control", type=int, required=True, help="descriptor of the control socket")
    parser.add_argument("--jobs", required=True)
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--memory", type=int, default=0, help="bytes per job; 0: no limit")
    options = parser.parse_args(arguments)
    module = importlib.import_module(options.jobs)
    module.warm_up()
    # Keeps the collector from touching, and thereby copying, pages that all children share.
    gc.collect()
    gc.freeze()
    settings = ChildSettings(options.nice, options.memory or None)
    _Server(socket.socket(fileno=options.control), module.JOBS, settings).serve()


class _Server:
    def __init__(self, control: socket.socket, jobs: Jobs, settings: ChildSettings) -> None:
        self._control = control
        self._jobs = jobs
        self._settings = settings
        self._running: dict[int, _Running] = {}
        self._wake_reader, self._wake_writer = os.pipe()
        for end in (self._wake_reader, self._wake_writer):
            os.set_blocking(end, False)

    def serve(self) -> None:
        """Until the client closes the control socket or dies."""
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        while True:
            ready = self._wait()
            self._reap()
            for process_id in self._abandoned(ready):
                _kill_group(process_id)
            if self._control.fileno() in ready and not self._accept():
                break
        for process_id in list(self._running):
            _kill_group(process_id)

    def _wait(self) -> set[int]:
        """Descriptors with news; a job's is ready when its client has shut its end, since it says nothing more."""
        poller = select.poll()
        for end in (self._control.fileno(), self._wake_reader):
            poller.register(end, select.POLLIN)
        for job in self._running.values():
            poller.register(job.channel.fileno(), select.POLLIN)
        ready = {descriptor for descriptor, _ in poller.poll()}
        if self._wake_reader in ready:
            with suppress(BlockingIOError):
                os.read(self._wake_reader, 4096)
        return ready

    def _abandoned(self, ready: set[int]) -> list[int]:
        return [process_id for process_id, job in self._running.items() if job.channel.fileno() in ready]

    def _accept(self) -> bool:
        """Forks for the next job; False where there will be none any more."""
        try:
            _, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
        except ConnectionResetError:
            return False
        if not descriptors:
            return False
        channel = Channel(socket.socket(fileno=descriptors[0]))
        try:
            job = channel.receive(time.monotonic() + HAND_OVER_TIMEOUT_S)
        except TimeoutError:
            job = None
        if job is None:
            channel.close()
        else:
            self._fork(channel, job)
        return True

    def _fork(self, channel: Channel, job: Message) -> None:
        output = tempfile.TemporaryFile()  # noqa: SIM115
        server = os.getpid()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            process_id = os.fork()
        if process_id == 0:
            self._become_child(server, channel, output, job)
        # Both sides do it, so that it is done whoever comes first.
        with suppress(OSError):
            os.setpgid(process_id, process_id)
        self._running[process_id] = _Running(process_id, channel, output)
        channel.send_now({"type": "started", "process_id": process_id})

    def _become_child(self, server: int, channel: Channel, output: IO[bytes], job: Message) -> None:
        """Never returns. Lets go of everything that belongs to the server or to other jobs."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            self._control.close()
            for end in (self._wake_reader, self._wake_writer):
                os.close(end)
            for other in self._running.values():
                other.channel.close()
                other.output.close()
            settle(server, output, self._settings)
            status = run_job(job, channel, self._jobs)
        except BaseException:
            # Whatever it is, this process must not go on as a second server.
            traceback.print_exc()
        finally:
            os._exit(status)

    def _reap(self) -> None:
        while self._running:
            process_id, status = os.waitpid(-1, os.WNOHANG)
            if process_id == 0:
                return
            job = self._running.pop(process_id)
            # What the job may have started itself.
            _kill_group(process_id)
            exit_code = os.waitstatus_to_exitcode(status)
            job.channel.send_now({"type": "exit", "status": exit_code, "output": tail(job.output)})
            job.channel.close()
            job.output.close()


def _kill_group(process_id: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process_id, signal.SIGKILL)


if __name__ == "__main__":
    main()
