"""Fixtures on top of a migrated database."""

from collections.abc import Iterator

import pytest

from db.session import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Connections to a database that the test has for itself."""
    database = Database(database_url, pool_size=20)
    yield database
    database.dispose()
