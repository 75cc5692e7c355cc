"""A new version's migrations are run while the version before is still at work: it must not notice.

`released/NNNN.jsonl` is what the code of that revision sent to its database during one small search, statement by
statement with the role and the number of rows, as `tests/tools/record_statements.py` recorded it when the revision was
the newest. It is never edited.
"""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection
from sqlalchemy import make_url

from cli.connection import open_database, service_settings
from db import migrate
from paretofarm.errors import WrongSchema
from paretofarm.settings import BROKER_URL, DATABASE_URL

RELEASED = sorted((Path(__file__).parent / "released").glob("*.jsonl"))


def statements(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def connect(url: str) -> Connection:
    parts = make_url(url)
    connection = psycopg2.connect(
        host=parts.query["host"], port=parts.query["port"], user=parts.username, dbname=parts.database
    )
    connection.autocommit = True
    return connection


def send(connection: Connection, lines: list[dict[str, Any]], *, roles: bool) -> None:
    with connection.cursor() as cursor:
        for line in lines:
            cursor.execute(f"SET ROLE paretofarm_{line['role']}" if roles else "RESET ROLE")
            cursor.execute(line["sql"])
            assert cursor.rowcount == line["rows"], line["sql"]


@pytest.mark.parametrize("file", RELEASED, ids=lambda file: file.stem)
def test_released_code_goes_on_while_its_database_is_migrated(file: Path, empty_database_url: str) -> None:
    """Before, in the middle of a search, on connections that stay open, with their prepared statements."""
    lines = statements(file)
    migrate.upgrade(empty_database_url, file.stem)
    with closing(connect(empty_database_url)) as connection:
        half = len(lines) // 2
        send(connection, lines[:half], roles=False)
        migrate.upgrade(empty_database_url)
        send(connection, lines[half:], roles=True)


@pytest.mark.parametrize("file", RELEASED, ids=lambda file: file.stem)
def test_released_code_works_on_a_newer_database(file: Path, empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url)
    with closing(connect(empty_database_url)) as connection:
        send(connection, statements(file), roles=True)


def test_every_revision_but_the_newest_was_recorded() -> None:
    """Whoever adds a migration has recorded what the version before it sends, with tests/tools/record_statements.py."""
    assert [int(file.stem) for file in RELEASED] == list(range(1, int(migrate.latest() or 0)))


def pretend(url: str, revision: str) -> None:
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE alembic_version SET version_num = %s", (revision,))


def environment_of(url: str) -> dict[str, str]:
    return {DATABASE_URL: url, BROKER_URL: "redis://localhost/0"}


def test_a_service_does_not_start_on_tables_that_are_too_old(empty_database_url: str) -> None:
    environment = environment_of(empty_database_url)
    with pytest.raises(WrongSchema, match="no tables yet: `paretofarm db upgrade`"):
        service_settings(environment)
    migrate.upgrade(empty_database_url, "0001")
    with pytest.raises(WrongSchema, match=rf"too old \(0001, needed {migrate.latest()}\): `paretofarm db upgrade`"):
        service_settings(environment)
    migrate.upgrade(empty_database_url)
    assert service_settings(environment).database_url == empty_database_url


def test_a_service_starts_on_newer_tables_of_its_major_version(database_url: str) -> None:
    pretend(database_url, "0999")
    service_settings(environment_of(database_url))
    with open_database(environment_of(database_url)):
        migrate.upgrade(database_url)
    assert migrate.current(database_url) == "0999"


def test_a_service_does_not_start_on_tables_of_another_major_version(database_url: str) -> None:
    pretend(database_url, "1000")
    for refused in (migrate.require_usable, migrate.upgrade):
        with pytest.raises(WrongSchema, match=r"too new \(1000, this version knows"):
            refused(database_url)
