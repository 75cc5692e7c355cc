"""What the containers of our services write: one JSON object per line, also Celery's lines and last words."""

import json

from farm import Farm, check

SERVICES = ("scheduler", "worker", "trainer", "dashboard", "demo-agent")
FIELDS = {"time", "level", "logger", "message"}

CLEAR_LINE = "\x1b[2K"
"""Compose 2.26 writes one before each line, to whatever it writes."""


def check_logs(farm: Farm) -> None:
    """Of those that are there now."""
    for service in SERVICES:
        lines = farm.compose("logs", "--no-log-prefix", service).replace(CLEAR_LINE, "").splitlines()
        other = [line for line in lines if not _is_structured(line)]
        check(lines != [] and not other, f"{service} logs JSON, {len(lines)} lines of it ({other[:1]})")


def _is_structured(line: str) -> bool:
    try:
        said = json.loads(line)
    except ValueError:
        return False
    return isinstance(said, dict) and said.keys() >= FIELDS
