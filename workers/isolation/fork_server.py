"""The client's side of the fork server: starts it, hands it jobs, starts it again when it has died."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from typing import IO, Any

from paretofarm.errors import WorkerCrashed
from workers.isolation.channel import Channel, Message
from workers.isolation.job import IsolatedJob
from workers.isolation.log_tail import tail

STOP_TIMEOUT_S = 3.0
"""A server that serves ends at once; one that still warms up has no jobs yet and is killed."""

# -P: a folder of the user's that is called like one of our packages must not be imported.
_SERVER = (sys.executable, "-P", "-m", "workers.isolation.server")

# More threads than one make small networks 3 to 15 times slower where processes share cores; and the server must
# have one only when it forks. Since 1.29 onnxruntime starts another on import, which sends usage data to Microsoft.
# MALLOC_…: glibc would give a layer's memory back to the kernel and ask for it again in every batch; keeping it (the
# process ends with its job) made trainings of small networks 7 % faster, and needs both: see docs/decisions.md.
# PYTORCH_NVML_BASED_CUDA_CHECK: asking whether there is a GPU must not initialise CUDA.
_ENVIRONMENT = {
    "ORT_DISABLE_TELEMETRY": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(8 * 2**30),
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
}


class ForkServer:
    """A process that has imported and warmed up everything and forks a child for each job; many may run at once.

    jobs: module whose `JOBS` table names what can be run, and whose `warm_up()` is called once; nice: priority of the
    jobs; memory_bytes: address space that a job may take beyond the server's own. When this process dies, however
    it dies, the server and all jobs die with it. Safe to use from many threads.
    """

    def __init__(
        self,
        *,
        jobs: str = "workers.jobs",
        nice: int = 0,
        memory_bytes: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._arguments = ["--jobs", jobs, "--nice", str(nice), "--memory", str(memory_bytes or 0)]
        self._environment = {**os.environ, **(environment or {}), **_ENVIRONMENT}
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._log: IO[bytes] | None = None

    def start(self) -> None:
        """Lets the server warm up in the background; otherwise, and after it has died, `submit` does."""
        with self._lock:
            self._ensure_running()

    def submit(self, job: Mapping[str, Any]) -> IsolatedJob:
        """Hands over `{"function": …, "parameters": {…}}` (JSON); the child is forked as soon as the server is warm."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._hand_over(theirs)
        channel = Channel(ours)
        try:
            channel.send(job)
        except OSError as error:
            channel.close()
            raise WorkerCrashed(f"{job['function']}: {self._why_no_answer()}") from error
        return IsolatedJob(channel, str(job["function"]), self._why_no_answer)

    def run(self, job: Mapping[str, Any], on_message: Callable[[Message], None], timeout_s: float) -> dict[str, Any]:
        """`submit` and `IsolatedJob.run` in one; to be able to cancel from another thread, use them apart."""
        return self.submit(job).run(on_message, timeout_s)

    @property
    def process_id(self) -> int | None:
        """Of the server, None where none runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def stop(self) -> None:
        """Ends the server and with it all jobs. It may be started again."""
        with self._lock:
            self._stop()

    def _hand_over(self, end: socket.socket) -> None:
        with self._lock:
            for _ in range(2):
                control = self._ensure_running()
                try:
                    socket.send_fds(control, [b"j"], [end.fileno()])
                    return
                except OSError:
                    # It died after the check: once more, with a new one.
                    self._stop()
        raise WorkerCrashed("the fork server does not stay alive")

    def _ensure_running(self) -> socket.socket:
        if self._control is not None and self.process_id is not None:
            return self._control
        self._stop()
        ours, theirs = socket.socketpair()
        with theirs:
            log = tempfile.TemporaryFile()  # noqa: SIM115
            self._process = subprocess.Popen(
                [*_SERVER, "--control", str(theirs.fileno()), *self._arguments],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                # Ctrl-C at a terminal goes to the whole group; when to stop is decided here.
                start_new_session=True,
            )
        self._control, self._log = ours, log
        return ours

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._log is not None:
            self._log.close()
        self._control = self._process = self._log = None

    def _why_no_answer(self) -> str:
        with self._lock:
            output = tail(self._log) if self._log is not None else ""
        return "the fork server died" + (f": {output}" if output else "")
