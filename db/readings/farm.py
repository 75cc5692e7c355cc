"""All readings of a farm, each part in a short transaction of its own."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from db.readings.evaluations import read_evaluations
from db.readings.events import EventReadings
from db.readings.phones import read_phones
from db.readings.processes import read_processes
from db.readings.searches import SearchReadings
from db.readings.storage import read_storage, read_store
from db.session import Database
from paretofarm import instruments
from paretofarm.errors import ConfigError, DatabaseRefused, DatabaseUnavailable
from paretofarm.instrument import Reading

log = logging.getLogger(__name__)

TIMEOUT_S = 30
Part = Callable[[Session], Iterable[Reading]]


class FarmReadings:
    """Reads with no rights but the role `reader`'s. Keeps what cannot change; belongs to one thread at a time.

    artifacts: url of the store; broker_answers: asks it, never raises.
    """

    def __init__(self, database: Database, *, artifacts: str, broker_answers: Callable[[], bool]) -> None:
        self._database = database
        self._artifacts = artifacts
        self._broker_answers = broker_answers
        self._parts: Mapping[str, Part] = {
            "evaluations": read_evaluations,
            "searches": SearchReadings().read,
            "phones": read_phones,
            "processes": read_processes,
            "events": EventReadings().read,
            "storage": read_storage,
        }

    def read(self) -> list[Reading]:
        """Everything there is to say. A part that cannot be read is left out; the log says why."""
        started = time.monotonic()
        readings: list[Reading] = []
        try:
            for name, part in self._parts.items():
                readings += self._read(name, part)
            up = True
        except DatabaseUnavailable as error:
            log.warning("nothing can be read: %s", error)
            up = False
        readings += read_store(self._artifacts)
        readings.append(Reading(instruments.READ_SECONDS, time.monotonic() - started))
        return [*readings, *self._servers(up)]

    def _read(self, name: str, part: Part) -> list[Reading]:
        try:
            with self._database.transaction() as session:
                session.execute(text(f"SET LOCAL statement_timeout = '{TIMEOUT_S}s'"))
                session.execute(text("SET TRANSACTION READ ONLY"))
                return list(part(session))
        except (DBAPIError, DatabaseRefused, ConfigError) as error:
            log.warning("no readings of %s: %s", name, str(error).splitlines()[0])
            return []

    def _servers(self, database_up: bool) -> Iterator[Reading]:
        yield Reading(instruments.DATABASE_UP, float(database_up))
        yield Reading(instruments.BROKER_UP, float(self._broker_answers()))
