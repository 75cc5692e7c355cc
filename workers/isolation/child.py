"""What a forked child does: settles in, runs its job, tells what came of it."""

import ctypes
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from paretofarm.errors import OutOfMemory, ParetofarmError
from workers.isolation.channel import Channel, Message

Emit = Callable[[Message], None]
Job = Callable[[Mapping[str, Any], Emit], Mapping[str, Any]]
Jobs = Mapping[str, Job]

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class ChildSettings:
    """nice: added to the priority; memory_bytes: address space beyond what the server had, None for no limit."""

    nice: int
    memory_bytes: int | None


def settle(server: int, output: IO[bytes], settings: ChildSettings) -> None:
    """Makes this process a group of its own that dies with the server, with its own output and limits."""
    with suppress(PermissionError):
        os.setpgid(0, 0)
    _die_with(server)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    for descriptor in (1, 2):
        os.dup2(output.fileno(), descriptor)
    os.nice(settings.nice)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if settings.memory_bytes is not None:
        limit = _address_space() + settings.memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    # Short of memory, the kernel should take this process, not the worker.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def run_job(job: Message, channel: Channel, jobs: Jobs) -> int:
    """Answers with a result or an error; returns the exit code of this process."""
    try:
        channel.send({"type": "result", "result": jobs[job["function"]](job["parameters"], channel.send)})
        return 0
    except ParetofarmError as error:
        channel.send({"type": "error", "class": error.code, "message": error.message})
    except MemoryError as error:
        channel.send({"type": "error", "class": OutOfMemory.__name__, "message": str(error) or OutOfMemory.__doc__})
    except BaseException:
        # The boundary of the process: a bug is told like a crash, by exit code and the end of the output.
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 1


def _die_with(server: int) -> None:
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:
        # It died before the line above.
        os._exit(1)


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if sys.platform == "linux" else 0
    return pages * resource.getpagesize()
