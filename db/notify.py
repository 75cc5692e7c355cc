"""Tells whoever listens that there is something new, after the transaction that made it so."""

import logging
import threading
import time

import psycopg2
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from db.lone import lone_statements

CHANNEL = "paretofarm"
PAUSE_S = 0.02
"""About a tick of the scheduler: while it plans it hears nothing anyway."""

log = logging.getLogger(__name__)


def notify(place: Session | Connection) -> None:
    """Asks for one notification once this transaction has committed; asking twice gives one."""
    place.info["notify"] = True


def is_asked_for(place: Session | Connection) -> bool:
    """Whether `notify` was called since this was last asked."""
    return bool(place.info.pop("notify", False))


class Notifier:
    """Sends a process's notifications, each in a transaction of its own that does not wait for the disk.

    NOTIFY inside the transaction that it tells of would be simpler, but Postgres lets notifying transactions commit
    one at a time, fsync included: 16 claimants would commit no faster than one. The first notification goes out at
    once; those that follow within a pause go out as one at its end. A crash in between loses a wake-up, which the
    listeners' poll makes good.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._late: threading.Timer | None = None
        self._waiting = False
        self._quiet_until = 0.0

    def send(self) -> None:
        """Now or after the pause. Never raises: what it tells of has been committed, and must not be repeated."""
        with self._lock:
            if self._waiting:
                return
            pause_s = self._quiet_until - time.monotonic()
            if pause_s > 0:
                self._waiting = True
                self._late = threading.Timer(pause_s, self._send)
                self._late.daemon = True
                self._late.start()
                return
        self._send()

    def flush(self) -> None:
        """Sends at once what waits for the end of the pause, or waits until the pause's end has sent it."""
        with self._lock:
            late = self._late
        if late:
            late.cancel()
            late.join()
        if self._waiting:
            self._send()

    def _send(self) -> None:
        with self._lock:
            # Before it is sent: who asks from now on may tell of something newer than the listeners will see.
            self._waiting = False
            self._quiet_until = time.monotonic() + PAUSE_S
        try:
            with lone_statements(self._engine) as connection:
                notification = "SELECT set_config('synchronous_commit', 'off', true), pg_notify(%(channel)s, '')"
                connection.exec_driver_sql(notification, {"channel": CHANNEL})
        except (SQLAlchemyError, psycopg2.Error) as error:
            log.warning("notification lost, listeners will find the news by polling: %s", error)
