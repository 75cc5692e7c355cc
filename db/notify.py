"""Tells whoever listens that there is something new, after the transaction that made it so."""

import logging
from typing import Any

import psycopg2
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

CHANNEL = "paretofarm"

log = logging.getLogger(__name__)


def notify(session: Session) -> None:
    """Asks for one notification once this transaction has committed; asking twice gives one."""
    session.info["notify"] = True


def send_pending(session: Session, engine: Engine) -> None:
    """Sends what was asked for, in a transaction of its own that does not wait for the disk; never raises.

    NOTIFY inside the first would be simpler, but Postgres lets notifying transactions commit one at a time, fsync
    included: 16 claimants would commit no faster than one. A crash in between loses a wake-up, which the listeners'
    poll makes good.
    """
    if not session.info.pop("notify", False):
        return
    try:
        with engine.connect() as connection:
            _send(connection.connection.driver_connection)
    except (DBAPIError, psycopg2.Error) as error:
        # The transaction before has committed: reporting a failure now would make the caller repeat it.
        log.warning("notification lost, listeners will find the news by polling: %s", error)


def _send(connection: Any) -> None:
    """One round trip instead of three: a statement on its own is a transaction."""
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('synchronous_commit', 'off', true), pg_notify(%s, '')", (CHANNEL,))
    finally:
        if not connection.closed:
            connection.autocommit = False
