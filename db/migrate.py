"""Brings a database's schema up to date."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from db import roles
from db.session import CONNECT_ARGUMENTS, parse_url, unavailable
from paretofarm.errors import WrongSchema

ADVISORY_LOCK = 0x7061_7265_746F
"""Held while migrating, so that processes that start together do not migrate twice. ("pareto" in ASCII.)"""


def upgrade(url: str, revision: str = "head") -> None:
    """Migrates to `revision` and renews what the roles may do. Nothing to do where it is there already, or further.

    Errors: WrongSchema where another major version has been at work.
    """
    with _connected(url) as connection, _exclusively(connection):
        found = _current(connection)
        if found is not None and not is_known(found):
            _require_usable(found)
            return
        command.upgrade(_config(connection), revision)
        if revision == "head":  # the roles speak of columns that older tables lack
            roles.grant_if_allowed(connection)


def downgrade(url: str, revision: str) -> None:
    """Migrates back to an older revision, or to `base`: an empty database. Data in dropped tables is lost."""
    with _connected(url) as connection, _exclusively(connection):
        command.downgrade(_config(connection), revision)


def current(url: str) -> str | None:
    """The database's revision; None where nothing was ever migrated."""
    with _connected(url) as connection:
        return _current(connection)


def _current(connection: Connection) -> str | None:
    """As alembic's MigrationContext says it, which every time logs what it is about to do."""
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


def is_current(url: str) -> bool:
    """Whether the database's schema is the one this code was written for."""
    return current(url) == latest()


def require_usable(url: str) -> None:
    """WrongSchema unless the tables are what this code needs: of its own revision, or a later one of its major version.

    Within a major version migrations only add; a migration that does more begins the next thousand.
    """
    _require_usable(current(url))


def _require_usable(found: str | None) -> None:
    needed = str(latest())
    if found is None:
        raise WrongSchema("the database has no tables yet: `paretofarm db upgrade`")
    if is_known(found):
        if found != needed:
            raise WrongSchema(f"the database's tables are too old ({found}, needed {needed}): `paretofarm db upgrade`")
    elif _major(found) != _major(needed):
        raise WrongSchema(
            f"the database's tables are too new ({found}, this version knows {needed}): install a newer paretofarm"
        )


def _major(revision: str) -> str:
    """The thousands of `MNNN`."""
    return revision[:-3]


def is_known(revision: str) -> bool:
    """Whether this code can migrate on from that revision."""
    known = ScriptDirectory.from_config(_config(None)).walk_revisions()
    return revision in {script.revision for script in known}


def latest() -> str | None:
    """The newest revision this code knows."""
    return ScriptDirectory.from_config(_config(None)).get_current_head()


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    parsed = parse_url(url)
    engine = create_engine(parsed, connect_args=CONNECT_ARGUMENTS, poolclass=NullPool)
    with unavailable(parsed), engine.connect() as connection:
        yield connection
        connection.commit()


@contextmanager
def _exclusively(connection: Connection) -> Iterator[None]:
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
    connection.commit()
    try:
        yield
        connection.commit()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
