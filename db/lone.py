"""Statements that are transactions by themselves: one round trip instead of three."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine


@contextmanager
def lone_statements(engine: Engine) -> Iterator[Connection]:
    """A connection from the pool on which every statement is a transaction of its own.

    SQLAlchemy's isolation level AUTOCOMMIT does the same at the price of what it saves.
    """
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.autocommit = True
        try:
            yield connection
        finally:
            if not driver.closed:
                driver.autocommit = False
