"""A deployment of docker-compose.yml under a project name of its own: others on the machine are not touched."""

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROFILES = ("--profile", "demo", "--profile", "tools")


class CheckFailed(Exception):
    """The deployment does not do what it promises."""


@dataclass(frozen=True)
class Farm:
    """project: compose's project name. environment: variables that the compose file reads."""

    project: str
    environment: dict[str, str] = field(default_factory=dict)

    def compose(self, *arguments: str, timeout_s: float = 300.0) -> str:
        """`docker compose …`; what it writes to stdout. Errors: CheckFailed with the end of its stderr."""
        return self._run("docker", "compose", "-p", self.project, *PROFILES, *arguments, timeout_s=timeout_s)

    def docker(self, *arguments: str) -> str:
        return self._run("docker", *arguments, timeout_s=120.0)

    def cli(self, *arguments: str) -> str:
        """The command line, in a container of its own."""
        return self.compose("run", "--rm", "-T", "cli", *arguments)

    def sql(self, query: str) -> list[str]:
        """Rows of a query, columns separated by `|`, asked as the database's owner."""
        options = ("-U", "paretofarm", "-At", "-v", "ON_ERROR_STOP=1", "-c", query)
        return self.compose("exec", "-T", "postgres", "psql", *options).splitlines()

    def containers(self, *services: str, all: bool = False) -> list[str]:
        return self.compose("ps", "--quiet", *(["--all"] if all else []), *services).split()

    def inspect(self, containers: Sequence[str]) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(self.docker("inspect", *containers)) if containers else []
        return found

    def _run(self, *argv: str, timeout_s: float) -> str:
        done = subprocess.run(
            argv, cwd=ROOT, env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=timeout_s
        )
        if done.returncode:
            tail = " | ".join(done.stderr.strip().splitlines()[-8:])
            raise CheckFailed(f"{' '.join(argv)} ended with {done.returncode}: {tail}")
        return done.stdout


def say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def check(holds: bool, what: str) -> None:
    """Says it, or ends the test."""
    if not holds:
        raise CheckFailed(what)
    say(f"ok: {what}")
