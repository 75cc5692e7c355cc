"""Programs of other makers that compile networks on this host: started without a shell, without our secrets, and with
limits. What becomes of them says whose fault it is.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from paretofarm.errors import ConfigError, ConversionFailed, WorkerCrashed

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")
"""Of the worker's variables, which hold its passwords, these and no others."""


@dataclass(frozen=True)
class Outcome:
    """A program that came to its end: exit code, and both outputs in one text."""

    name: str
    exit_code: int
    output: str


def run_program(
    argv: Sequence[str], *, folder: Path, environment: Mapping[str, str], own: Mapping[str, str], timeout_s: float
) -> Outcome:
    """Runs argv in a folder. environment: the worker's; own: what the program needs beside.

    `ConfigError` where it cannot be started, `WorkerCrashed` where it was killed, `ConversionFailed` where it did not
    end within its time. It stays in this job's process group, so that a job that is stopped takes it along.
    """
    variables = {name: environment[name] for name in INHERITED if name in environment} | dict(own)
    name = Path(argv[0]).name
    try:
        done = subprocess.run(
            argv,
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ConversionFailed(f"{name} did not end within {timeout_s:g} s") from error
    except OSError as error:
        raise ConfigError(f"{argv[0]} cannot be started: {error.strerror or os.strerror(error.errno or 0)}") from error
    output = done.stdout.decode(errors="backslashreplace")
    if done.returncode < 0:
        number = signal.Signals(-done.returncode).name
        raise WorkerCrashed(f"{name} was killed by {number}: {tail(output)}")
    return Outcome(name, done.returncode, output)


def tail(output: str, characters: int = 300) -> str:
    """The end of an output, on one line."""
    return " ".join(output.split())[-characters:]
