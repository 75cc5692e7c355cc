"""What docker compose makes of the files: overrides merged, variables filled in."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compose_file import ROOT

COMPOSE = ROOT / "deploy/docker/compose.sh"
TIMEOUT_S = 120.0


def run(*argv: str | Path, environment: Mapping[str, str] | None = None) -> tuple[str, str]:
    """What it writes to stdout and stderr, without variables of this machine that compose would read."""
    own = ("PARETOFARM_", "COMPOSE_", "TORCH_", "AWS_", "ANDROID_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    done = subprocess.run(
        argv, cwd=ROOT, env={**clean, **(environment or {})}, capture_output=True, text=True, timeout=TIMEOUT_S
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout, done.stderr


def merged(*overrides: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Services by name, with all profiles."""
    files = [option for file in ("docker-compose.yml", *overrides) for option in ("--file", file)]
    config = ("--profile", "*", "config", "--format", "json")
    document: dict[str, Any] = json.loads(run(COMPOSE, *files, *config, environment=environment)[0])
    services: dict[str, Any] = document["services"]
    return services
