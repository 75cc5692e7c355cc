"""`paretofarm dashboard` as a process on any free port."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services import wait_until

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 90.0
"""A busy machine takes its time to import."""


@contextmanager
def running_dashboard(database_url: str, store: Path, log: Path, *options: str) -> Iterator[str]:
    """Its address."""
    environment = {**os.environ, "PARETOFARM_DATABASE_URL": database_url, "PARETOFARM_ARTIFACTS": store.as_uri()}
    argv = (sys.executable, "-P", "-m", "cli", "dashboard", "--port", "0", *options)
    with log.open("wb") as output:
        process = subprocess.Popen(argv, cwd=ROOT, env=environment, stderr=output)
    try:
        wait_until(lambda: _address(log) is not None or process.poll() is not None, TIMEOUT_S, "the dashboard")
        address = _address(log)
        assert address is not None, log.read_text()
        yield address
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)


def _address(log: Path) -> str | None:
    found = re.search(r"dashboard on (http://\S+),", log.read_text())
    return found and found[1]
