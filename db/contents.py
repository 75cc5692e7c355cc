"""What a database holds, at one moment: for backups, which have to prove that they hold the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from db.session import CONNECT_ARGUMENTS, parse_url, unavailable
from db.tables import Base
from paretofarm.errors import BackupError

RETENTION_LOCK = 0x7061_7265_7467
"""Held by whoever removes artifacts, and shared by whoever copies them. ("paretg" in ASCII.)"""
TABLES = frozenset(Base.metadata.tables)


@dataclass(frozen=True)
class Contents:
    """tables: rows by table; artifacts: bytes by SHA-256, of those that were not removed; revision: of the schema."""

    postgres: int
    revision: str
    tables: dict[str, int]
    artifacts: dict[str, int]


class Source:
    """A connection to the database that is copied."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def snapshot(self) -> Iterator[tuple[str, Contents]]:
        """The name of a snapshot that other connections can take part in within the block, and what is in it."""
        with self._connection.begin():
            self._connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            name = self._connection.scalar(text("SELECT pg_export_snapshot()"))
            yield str(name), read(self._connection)


@contextmanager
def open_source(url: str) -> Iterator[Source]:
    """Nothing is removed from the artifact store within the block. Errors: BackupError where that is being done."""
    with connected(url) as connection:
        shared = text("SELECT pg_try_advisory_lock_shared(:key)")
        if not connection.scalar(shared, {"key": RETENTION_LOCK}):
            raise BackupError("`paretofarm gc --delete` is at work: try again when it has ended")
        connection.commit()
        yield Source(connection)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection of its own. Errors: DatabaseUnavailable."""
    parsed = parse_url(url)
    engine = create_engine(parsed, connect_args=CONNECT_ARGUMENTS, poolclass=NullPool)
    with unavailable(parsed), engine.connect() as connection:
        yield connection


def read(connection: Connection) -> Contents:
    """Counts and lists within the connection's transaction. Errors: BackupError where there are no tables of ours."""
    tables = sorted(existing_tables(connection) & TABLES)
    if not tables:
        raise BackupError("the database is empty: there is nothing to back up")
    return Contents(
        postgres=server_major(connection),
        revision=str(connection.scalar(text("SELECT version_num FROM alembic_version"))),
        tables=row_counts(connection, tables),
        artifacts=artifact_sizes(connection),
    )


def server_major(connection: Connection) -> int:
    return int(connection.scalar(text("SHOW server_version_num")) or 0) // 10_000


def existing_tables(connection: Connection) -> set[str]:
    """Names of all tables, ours or not."""
    return set(connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))


def row_counts(connection: Connection, tables: list[str]) -> dict[str, int]:
    return {table: connection.scalar(text(f'SELECT count(*) FROM "{table}"')) or 0 for table in tables}


def artifact_sizes(connection: Connection) -> dict[str, int]:
    """By way of JSON, since the tables of an earlier version do not know that an artifact can be removed."""
    query = "SELECT sha256, size_bytes FROM artifacts a WHERE to_jsonb(a) ->> 'deleted_at' IS NULL ORDER BY sha256"
    return {sha256: size_bytes for sha256, size_bytes in connection.execute(text(query))}


def other_users(connection: Connection) -> list[str]:
    """Who else is connected to this database, one name for each connection."""
    query = "SELECT usename FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return sorted(connection.scalars(text(f"{query} AND usename IS NOT NULL")))
