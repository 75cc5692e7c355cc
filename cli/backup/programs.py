"""pg_dump and pg_restore of the server's own version."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cli.libpq import libpq_environment
from cli.stack.binaries import postgres_folder
from paretofarm.errors import BackupError, ParetofarmError

VERSION_TIMEOUT_S = 10.0
WORK_TIMEOUT_S = 12 * 3600.0
WITHOUT_TLS = "SSL support is not compiled in"
"""The embedded programs say this where the address asks for TLS."""


@dataclass(frozen=True)
class PostgresPrograms:
    """Folders that hold pg_dump and pg_restore of one major version, the first to be preferred."""

    folders: tuple[Path, ...]
    environment: Mapping[str, str]

    def run(self, program: str, arguments: Sequence[str], url: str) -> None:
        """Runs it to its end. The address goes by the environment. Errors: BackupError with what it complained of."""
        environment = {**self.environment, **libpq_environment(url), "PGCLIENTENCODING": "UTF8", "LC_ALL": "C"}
        for folder in self.folders:
            complaint = _run([str(folder / program), "--no-password", *arguments], environment)
            if complaint is None:
                return
            if WITHOUT_TLS not in complaint:
                raise BackupError(f"{program}: {complaint}")
        found = ", ".join(str(folder) for folder in self.folders)
        raise BackupError(f"the database's address asks for TLS, and {program} in {found} was built without")


def find_programs(environment: Mapping[str, str], server_major: int) -> PostgresPrograms:
    """Those of the server's major version: of PARETOFARM_POSTGRES_BIN, PATH, the embedded Postgres, the system.

    Errors: BackupError naming the version that is needed and those that are there.
    """
    found = {folder: _major(folder) for folder in dict.fromkeys(_folders(environment))}
    fitting = tuple(folder for folder, major in found.items() if major == server_major)
    if not fitting:
        there = ", ".join(f"{folder} ({major})" for folder, major in found.items() if major) or "none"
        raise BackupError(
            f"the server is PostgreSQL {server_major} and needs pg_dump and pg_restore {server_major}; found: {there}. "
            f"Install postgresql-client-{server_major}, or name its folder in PARETOFARM_POSTGRES_BIN"
        )
    return PostgresPrograms(fitting, environment)


def _folders(environment: Mapping[str, str]) -> Iterator[Path]:
    if chosen := environment.get("PARETOFARM_POSTGRES_BIN"):
        yield Path(chosen)
    if on_path := shutil.which("pg_dump", path=environment.get("PATH")):
        yield Path(on_path).parent
    with suppress(ParetofarmError):
        yield postgres_folder(environment)
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def _major(folder: Path) -> int | None:
    """None where the programs are not both there."""
    if not all(os.access(folder / program, os.X_OK) for program in ("pg_dump", "pg_restore")):
        return None
    try:
        argv = [str(folder / "pg_dump"), "--version"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=VERSION_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"\) (\d+)", done.stdout)
    return int(version[1]) if version else None


def _run(argv: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """None where it went well, else the line that says why not."""
    try:
        done = subprocess.run(
            argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=WORK_TIMEOUT_S, check=False
        )
    except OSError as error:
        return str(error.strerror)
    except subprocess.TimeoutExpired:
        return f"not done after {WORK_TIMEOUT_S / 3600:.0f} hours"
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    said = [line for line in lines if "error:" in line]
    return (said or lines or [f"exit code {done.returncode}"])[0].partition("error: ")[2] or (said or lines)[0]
