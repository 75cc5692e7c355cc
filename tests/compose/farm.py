"""A deployment of docker-compose.yml under a project name of its own: others on the machine are not touched."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
BASE = "docker-compose.yml"
PROFILES = ("demo", "tools")
ALWAYS_ON = ("postgres", "broker", "scheduler", "worker", "trainer", "dashboard")
DEMO = ("phone", "demo-agent")
PATIENCE_S = 900.0


class CheckFailed(Exception):
    """The deployment does not do what it promises."""


@dataclass(frozen=True)
class Farm:
    """project: compose's project name. environment: variables that the compose files read. overrides: compose files on
    top of docker-compose.yml. profiles: that are on.
    """

    project: str
    environment: dict[str, str] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    profiles: tuple[str, ...] = PROFILES

    def compose(self, *arguments: str, timeout_s: float = 300.0) -> str:
        """`docker compose …`; what it writes to stdout. Errors: CheckFailed with the end of its stderr."""
        files = [option for file in (BASE, *self.overrides) for option in ("--file", file)]
        profiles = [option for profile in self.profiles for option in ("--profile", profile)]
        return self._run("docker", "compose", "-p", self.project, *files, *profiles, *arguments, timeout_s=timeout_s)

    def docker(self, *arguments: str, timeout_s: float = 120.0) -> str:
        return self._run("docker", *arguments, timeout_s=timeout_s)

    def run(self, service: str, *arguments: str, timeout_s: float = 300.0) -> str:
        """A container of its own for a service that ends: `docker compose run …`."""
        return self.compose("run", "--rm", "-T", service, *arguments, timeout_s=timeout_s)

    def cli(self, *arguments: str, timeout_s: float = 300.0) -> str:
        """The command line."""
        return self.run("cli", *arguments, timeout_s=timeout_s)

    def up(self, *services: str) -> None:
        """Starts them, or all of the profiles, and waits until they are healthy; options may come before names."""
        self.compose("up", "--detach", "--wait", *services, timeout_s=PATIENCE_S)

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
        environment = {**os.environ, **self.environment}
        try:
            done = subprocess.run(
                argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise CheckFailed(f"{' '.join(argv)} took more than {timeout_s:.0f} s") from error
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


def wait(condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise CheckFailed(f"waited {patience_s:.0f} s for {what}")
        time.sleep(1.0)


def timed(what: str, action: Callable[[], object]) -> None:
    started = time.monotonic()
    action()
    say(f"{what}: {time.monotonic() - started:.0f} s")
