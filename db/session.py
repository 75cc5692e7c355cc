"""Connections to Postgres: short transactions, notifications, and one error for "the database does not answer"."""

import logging
import os
import select
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg2
import psycopg2.errorcodes as pgcodes
import psycopg2.extensions
import psycopg2.sql
from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, ProgrammingError
from sqlalchemy.orm import Session

from db.lone import lone_statements
from db.notify import Notifier, is_asked_for
from db.ping import ping_after_rest
from db.plain_json import dumps
from paretofarm.errors import ConfigError, DatabaseRefused, DatabaseUnavailable

log = logging.getLogger(__name__)

CONNECT_ARGUMENTS = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "application_name": "paretofarm",
    "options": "-c timezone=UTC",
}


class Database:
    """One Postgres database, safe to share between threads.

    Also safe across a fork: a child starts with an empty pool of its own (sharing the parent's sockets silently loses
    rows). A transaction that is open while the process forks stays the parent's.
    """

    def __init__(self, url: str, *, pool_size: int = 5) -> None:
        self.url = parse_url(url)
        self.engine = create_engine(
            self.url,
            connect_args=CONNECT_ARGUMENTS,
            pool_size=pool_size,
            max_overflow=20,
            json_serializer=dumps,
        )
        ping_after_rest(self.engine)
        self._notifier = Notifier(self.engine)
        os.register_at_fork(after_in_child=_forget_connections(weakref.ref(self)))

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Session]:
        """A session that commits at the end of the block and rolls back on any error.

        durable: False lets the commit return before the disk has it; for heartbeats and progress, whose loss in a
        power cut hurts nobody. Errors: DatabaseUnavailable where the server cannot be reached or the connection is
        lost, also during the commit, whose outcome is then unknown.
        """
        with unavailable(self.url), Session(self.engine, expire_on_commit=False) as session, session.begin():
            if not durable:
                session.execute(text("SET LOCAL synchronous_commit = off"))
            yield session
        if is_asked_for(session):
            self._notifier.send()

    @contextmanager
    def statement(self) -> Iterator[Connection]:
        """A connection on which every statement commits by itself, at half the processor time of `transaction`.

        For work that is one statement. Errors as there.
        """
        with unavailable(self.url), lone_statements(self.engine) as connection:
            yield connection
            asked = is_asked_for(connection)
        if asked:
            self._notifier.send()

    @contextmanager
    def listener(self, channel: str) -> Iterator["Listener"]:
        """Listens to NOTIFY on a connection of its own, from the moment the block begins."""
        with unavailable(self.url):
            arguments, keywords = self.engine.dialect.create_connect_args(self.url)
            connection = psycopg2.connect(*arguments, **keywords, **CONNECT_ARGUMENTS)
            try:
                connection.autocommit = True
                with connection.cursor() as cursor:
                    cursor.execute(psycopg2.sql.SQL("LISTEN {}").format(psycopg2.sql.Identifier(channel)))
                yield Listener(connection, self.url)
            finally:
                connection.close()

    def dispose(self, close: bool = True) -> None:
        """Drops all pooled connections; close=False leaves their sockets alone, for a child that inherited them."""
        if close:
            self._notifier.flush()
        else:
            self._notifier = Notifier(self.engine)
        self.engine.dispose(close=close)


class Listener:
    """Waits for notifications. Not shared between threads."""

    def __init__(self, connection: psycopg2.extensions.connection, url: URL) -> None:
        self._connection = connection
        self._url = url

    def wait(self, timeout_s: float) -> bool:
        """True as soon as somebody has notified since the last call, False after `timeout_s` seconds."""
        with unavailable(self._url):
            arrived = self._arrived(time.monotonic() + timeout_s)
            self._connection.notifies.clear()
            return arrived

    def _arrived(self, deadline: float) -> bool:
        # Not everything that is received is a notification: a server's last words are not.
        while not self._received():
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not select.select([self._connection], [], [], left_s)[0]:
                return False
        return True

    def _received(self) -> bool:
        self._connection.poll()
        return bool(self._connection.notifies)


def parse_url(url: str) -> URL:
    """The url of a Postgres database. ConfigError for anything else, without the text: it may hold a password."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # the second: a port that is no number
        raise ConfigError("the database url cannot be read; expected postgresql://user@host:port/name") from error
    if parsed.get_backend_name() != "postgresql":
        raise ConfigError(f"the database url begins with {parsed.drivername!r}; only postgresql is supported")
    return parsed.set(drivername="postgresql+psycopg2")


def tls_warning(url: str) -> str | None:
    """What is unsafe about an address that asks for TLS without asking who answers; None where nothing is."""
    query = parse_url(url).query
    mode = query.get("sslmode")
    if mode in (None, "disable", "verify-ca", "verify-full") or "sslrootcert" in query:
        return None
    return f"the database url has sslmode={mode}: anybody could answer; use verify-full with sslrootcert=FILE"


@contextmanager
def unavailable(url: URL) -> Iterator[None]:
    """Turns a refused or lost connection into DatabaseUnavailable naming the server, and what the server will not do
    (a right is missing, a table, a number is too great) into DatabaseRefused. Other errors pass.
    """
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated or _is_outage(error.orig):
            raise _outage(url, error.orig) from error
        if not isinstance(error, DataError | ProgrammingError):
            raise
        log.debug("refused: %s", error)
        raise DatabaseRefused(_refusal(url, error.orig)) from error
    except psycopg2.Error as error:
        if not _is_outage(error):
            raise
        raise _outage(url, error) from error


def _is_outage(error: BaseException | None) -> bool:
    """Connection errors carry no SQLSTATE, or class 08; 57P: shutting down; 53: out of disk, memory or connections."""
    if not isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError):
        return False
    code = error.pgcode
    return code is None or code.startswith(("08", "53", "57P"))


def _outage(url: URL, error: BaseException | None) -> DatabaseUnavailable:
    return DatabaseUnavailable(f"the database at {_place(url)} does not answer: {_first_line(error)}")


def _refusal(url: URL, error: BaseException | None) -> str:
    """Without the statement: it says nothing to whoever meets it, and may be pages long."""
    code = error.pgcode if isinstance(error, psycopg2.Error) else None
    problem = _first_line(error)
    if code == pgcodes.INSUFFICIENT_PRIVILEGE:
        return f"the database user {url.username or 'by default'!r} may not do that: {problem}"
    if code in (pgcodes.UNDEFINED_TABLE, pgcodes.UNDEFINED_COLUMN):
        return f"the database has another version's tables, or none ({problem}): `paretofarm db upgrade`"
    return f"the database at {_place(url)} refuses: {problem}"


def _first_line(error: BaseException | None) -> str:
    return next(iter(str(error).strip().splitlines()), repr(error))


def _place(url: URL) -> str:
    """Host or socket folder, port and database name; never the password."""
    host = url.host or url.query.get("host") or "localhost"
    port = f":{url.port}" if url.port else ""
    return f"{host}{port}/{url.database or ''}"


def _forget_connections(reference: "weakref.ref[Database]") -> Callable[[], None]:
    def forget() -> None:
        database = reference()
        if database is not None:
            database.dispose(close=False)

    return forget
