"""`python -m cli.health`: whether the process beside us is well, for the health check of a container.

It is asked for its metrics, where PARETOFARM_METRICS says. A scheduler that plans must also have ticked since the last
question. Light on purpose, since it runs four times a minute: nothing but the standard library.
"""

import os
import sys
import tempfile
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

TIMEOUT_S = 4.0
LEADING = "paretofarm_scheduler_leading"
TICKS = "paretofarm_scheduler_tick_duration_seconds_count"
LAST_TICKS = Path(tempfile.gettempdir(), "paretofarm-health-ticks")


def trouble(environment: Mapping[str, str], last_ticks: Path) -> str | None:
    """What is wrong, None where all is well. last_ticks: a file that remembers what the last call saw."""
    port = environment.get("PARETOFARM_METRICS", "").rpartition(":")[2]
    if not port.isdigit():
        return "PARETOFARM_METRICS is not set: nothing to ask"
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=TIMEOUT_S) as answer:
            samples = parse(answer.read().decode())
    except (OSError, HTTPException, ValueError) as error:
        return f"no metrics: {error}"
    return _stalled(samples, last_ticks)


def parse(text: str) -> dict[str, float]:
    """Values by name of the samples that have no labels, in Prometheus' text format."""
    words = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value, *_ in words if "{" not in name}


def _stalled(samples: Mapping[str, float], last_ticks: Path) -> str | None:
    if not samples.get(LEADING):
        last_ticks.unlink(missing_ok=True)
        return None
    ticks = str(samples.get(TICKS, 0.0))
    before = last_ticks.read_text() if last_ticks.exists() else None
    last_ticks.write_text(ticks)
    return f"no tick since the last check ({ticks} in all)" if ticks == before else None


if __name__ == "__main__":
    problem = trouble(os.environ, LAST_TICKS)
    if problem:
        sys.exit(problem)
