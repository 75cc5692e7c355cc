"""Jobs that misbehave, for the tests of isolation. Run by a fork server, never by the tests' own process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from paretofarm.errors import TrainingDiverged
from workers.isolation.child import Emit

Parameters = Mapping[str, Any]


def warm_up() -> None:
    if "SLOW_WARM_UP" in os.environ:
        time.sleep(float(os.environ["SLOW_WARM_UP"]))
    if "BROKEN_WARM_UP" in os.environ:
        raise ImportError("no such library")


def echo(parameters: Parameters, emit: Emit) -> Mapping[str, Any]:
    for message in parameters.get("messages", []):
        emit(message)
    return {"parameters": dict(parameters), "process_id": os.getpid(), "group": os.getpgid(0)}


def diverge(parameters: Parameters, emit: Emit) -> Mapping[str, Any]:
    raise TrainingDiverged("the loss became nan")


def bug(parameters: Parameters, emit: Emit) -> Mapping[str, Any]:
    raise ZeroDivisionError("a bug")


def allocate(parameters: Parameters, emit: Emit) -> Mapping[str, Any]:
    return {"bytes": len(bytearray(parameters["bytes"]))}


def die(parameters: Parameters, emit: Emit) -> Mapping[str, Any]:
    sys.stderr.write("last words\n")
    sys.stderr.flush()
    os.kill(os.getpid(), signal.Signals[parameters["signal"]])
    signal.pause()
    return {}


def wait(parameters: Parameters, emit: Emit) -> Mapping[str, Any]:
    """Together with a process of its own, as a data loader would have."""
    helper = subprocess.Popen(["sleep", "1000"])
    emit({"type": "waiting", "processes": [os.getpid(), helper.pid]})
    time.sleep(1000)
    return {}


def chat(parameters: Parameters, emit: Emit) -> Mapping[str, Any]:
    emit({"type": "chat", "text": "x" * parameters["length"]})
    sys.stdout.write("noise\n" * 10_000)
    return {"environment": os.environ.get("OMP_NUM_THREADS"), "nice": os.nice(0), "stdin": Path("/dev/stdin").exists()}


JOBS = {job.__name__: job for job in (echo, diverge, bug, allocate, die, wait, chat)}
