"""Several agents under one command: one process per phone, all of them gone with this one."""

import logging
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from cli.metrics.address import VARIABLE, MetricsAddress
from cli.signals import interruptible, undisturbed
from cli.stack_processes import PROGRAM
from paretofarm.errors import StackError
from paretofarm.settings import Settings

log = logging.getLogger(__name__)

POLL_S = 0.5
GRACE_S = 10.0


def run_agents(
    addresses: Sequence[str],
    settings: Settings,
    *,
    key: Path,
    device_class: str | None,
    metrics: MetricsAddress | None,
    verbose: bool,
) -> None:
    """Runs until Ctrl-C or SIGTERM. StackError as soon as one ends by itself: the others are then stopped too.

    metrics: of the first; the others take the ports after it.
    """
    options = ["--key", str(key)]
    options += ["--device-class", device_class] if device_class else []
    options += ["--verbose"] if verbose else []
    environment = {**os.environ, **settings.environment()}
    with interruptible():
        running: dict[str, subprocess.Popen[bytes]] = {}
        try:
            for number, address in enumerate(dict.fromkeys(addresses)):
                argv = [*PROGRAM, "agent", "--connect", address, *options]
                told = {**environment, VARIABLE: str(metrics.next(number)) if metrics else ""}
                running[address] = subprocess.Popen(argv, env=told, stdin=subprocess.DEVNULL)
            _watch(running)
        except KeyboardInterrupt:
            log.info("stopping %d agents", len(running))
        finally:
            with undisturbed():
                _stop(running)


def _watch(running: dict[str, subprocess.Popen[bytes]]) -> None:
    while True:
        time.sleep(POLL_S)
        for address, process in running.items():
            if process.poll() is not None:
                raise StackError(f"the agent of {address} has ended with exit code {process.returncode}")


def _stop(running: dict[str, subprocess.Popen[bytes]]) -> None:
    for process in running.values():
        process.terminate()
    deadline = time.monotonic() + GRACE_S
    for process in running.values():
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
