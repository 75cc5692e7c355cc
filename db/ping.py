"""Finds out that the server was restarted before a transaction begins rather than in the middle of it."""

import time

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

REST_S = 1.0


def ping_after_rest(engine: Engine) -> None:
    """Has connections pinged that lay unused for a second; a dead one is replaced.

    SQLAlchemy's `pool_pre_ping` does so every time, which is a fifth of a claim.
    """

    @event.listens_for(engine, "checkin")
    def remember(connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: DBAPIConnection, record: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
        if time.monotonic() - record.info.get("used_at", float("inf")) < REST_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error
