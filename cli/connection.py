"""Where a command finds the database and the broker.

`PARETOFARM_DATABASE_URL`, else the stack that runs in the data folder, else the folder's database for the command's own
duration. A data folder is never made by a command that only reads.
"""

import logging
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cli.local_stack import StackMode, embedded_database, find_running_stack
from cli.patience import until_it_answers
from cli.secret_files import with_secrets
from cli.stack.folder import DataFolder
from db import migrate
from db.roles import check_rights
from db.session import Database, tls_warning
from paretofarm.errors import ConfigError, DatabaseRefused, DatabaseUnavailable, NotFound
from paretofarm.settings import BROKER_URL, DATABASE_URL, DEFAULT_DATA_FOLDER, Settings

log = logging.getLogger(__name__)

WRONG_PASSWORD = "password authentication failed"
"""libpq gives no code for it; where the server speaks another language, it is waited for like any other outage."""

DATA = "PARETOFARM_DATA"


class NothingYet(NotFound):
    """There is no search yet: begin with `paretofarm search start FILE.yaml --wait` (see examples/)."""


def data_folder(environment: Mapping[str, str]) -> Path:
    """Where the local stack keeps everything. ConfigError for a path that cannot be a folder; it may be absent."""
    folder = Path(environment.get(DATA) or DEFAULT_DATA_FOLDER).absolute()
    try:
        is_folder = stat.S_ISDIR(folder.stat().st_mode)
    except FileNotFoundError:
        return folder
    except NotADirectoryError:
        is_folder = False
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}: set {DATA} to a folder of your own") from error
    if not is_folder:
        raise ConfigError(f"{folder} is no folder: set {DATA} to one")
    return folder


def has_own_servers(environment: Mapping[str, str]) -> bool:
    """Whether the user has named servers. ConfigError where only the broker is named."""
    if environment.get(BROKER_URL) and not environment.get(DATABASE_URL):
        raise ConfigError(f"{BROKER_URL} is set but {DATABASE_URL} is not: set both or neither")
    return bool(environment.get(DATABASE_URL))


def settings_with(environment: Mapping[str, str], database_url: str, broker_url: str) -> Settings:
    """Settings from the environment, with these servers."""
    return Settings.from_environment({**environment, DATABASE_URL: database_url, BROKER_URL: broker_url})


def process_settings(environment: Mapping[str, str]) -> Settings:
    """What a scheduler, worker or agent needs: from the environment, else from the running local stack."""
    settings = _process_settings(environment)
    if warning := tls_warning(settings.database_url):
        log.warning("%s", warning)
    return settings


def service_settings(environment: Mapping[str, str], role: str = "reader") -> Settings:
    """The same for a process that runs on: it waits for a database that is away.

    role: what it must be allowed to do there. Errors: WrongSchema; DatabaseRefused for a wrong password or user.
    """
    settings = process_settings(environment)
    until_it_answers(lambda: require_usable(settings.database_url, role), DatabaseUnavailable)
    return settings


def require_usable(url: str, role: str) -> None:
    """Errors: DatabaseUnavailable, and those that will not go away: WrongSchema, DatabaseRefused."""
    try:
        migrate.require_usable(url)
        with connected(url) as database:
            check_rights(database, role)
    except DatabaseUnavailable as error:
        if WRONG_PASSWORD in str(error):
            raise DatabaseRefused(str(error)) from error
        raise


def _process_settings(environment: Mapping[str, str]) -> Settings:
    running = None if has_own_servers(environment) else find_running_stack(data_folder(environment))
    if running and running.mode is StackMode.FULL and running.broker_url:
        return settings_with(environment, running.database_url, running.broker_url)
    return Settings.from_environment(with_secrets(environment))


@contextmanager
def open_database(environment: Mapping[str, str]) -> Iterator[Database]:
    """A database that is there already. Errors: NothingYet, DatabaseUnavailable, WrongSchema."""
    with database_url(environment) as url:
        own = has_own_servers(environment)
        if not own:
            upgrade(url)
        else:
            migrate.require_usable(url)
        with connected(url) as database:
            yield database


@contextmanager
def database_url(environment: Mapping[str, str]) -> Iterator[str]:
    """The database's address, migrated or not. Errors: NothingYet, StackError."""
    if has_own_servers(environment):
        yield with_secrets(environment)[DATABASE_URL]
        return
    folder = data_folder(environment)
    with DataFolder(folder).readable():
        if not (folder / "postgres").is_dir():
            raise NothingYet
    with embedded_database(folder) as url:
        yield url


@contextmanager
def connected(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.dispose()


def upgrade(url: str) -> None:
    """Migrates where there is something to migrate: asking takes a tenth of the time."""
    if not migrate.is_current(url):
        migrate.upgrade(url)
