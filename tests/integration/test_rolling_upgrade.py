"""A new version's migrations are run while the version before is still at work: it must not notice.

`released/NNNN.jsonl` is what the code of that revision sent to its database during one small search, statement by
statement with the role and the number of rows, as it was recorded when the revision was the newest. It is never edited.
"""

import json
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection
from sqlalchemy import make_url

from db import migrate

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
    connection = connect(empty_database_url)
    try:
        half = len(lines) // 2
        send(connection, lines[:half], roles=False)
        migrate.upgrade(empty_database_url)
        send(connection, lines[half:], roles=True)
    finally:
        connection.close()


@pytest.mark.parametrize("file", RELEASED, ids=lambda file: file.stem)
def test_released_code_works_on_a_newer_database(file: Path, empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url)
    connection = connect(empty_database_url)
    try:
        send(connection, statements(file), roles=True)
    finally:
        connection.close()


def test_every_revision_but_the_newest_was_recorded() -> None:
    """Whoever adds a migration records what the version before it sends: see docs/deploy.md."""
    assert [int(file.stem) for file in RELEASED] == list(range(1, int(migrate.latest() or 0)))
