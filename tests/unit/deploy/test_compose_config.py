"""Docker's own programs accept the files: compose for every profile and override, hadolint for the Dockerfile."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from compose_file import OVERRIDES, ROOT, profiles

COMPOSE = ROOT / "deploy/docker/compose.sh"
TIMEOUT_S = 120.0


def run(*argv: str | Path) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PARETOFARM_", "COMPOSE_"))}
    done = subprocess.run(argv, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stderr


@pytest.mark.parametrize("profile", [None, *profiles(), "*"])
def test_every_profile_is_valid(profile: str | None) -> None:
    chosen = ("--profile", profile) if profile else ()
    assert run(COMPOSE, "--file", "docker-compose.yml", *chosen, "config", "--quiet") == ""


@pytest.mark.parametrize("override", OVERRIDES)
def test_every_override_is_valid(override: str) -> None:
    files = ("--file", "docker-compose.yml", "--file", override)
    assert run(COMPOSE, *files, "--profile", "*", "config", "--quiet") == ""


def test_hadolint_finds_nothing() -> None:
    beside_python = Path(sys.executable).with_name("hadolint")
    run(beside_python if beside_python.exists() else "hadolint", "Dockerfile")
