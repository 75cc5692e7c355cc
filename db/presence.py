"""A process that says that it is there, for as long as it is."""

import logging
import os
import socket
import threading
from collections.abc import Mapping, Sequence
from importlib import metadata
from types import TracebackType
from typing import Any, Self

from db import workers
from db.session import Database
from db.workers import WorkerFacts
from paretofarm.errors import DatabaseUnavailable

log = logging.getLogger(__name__)

BEAT_S = 15.0
RETIRE_S = 2.0


class Presence:
    """Registers a process and writes a sign of life every `every_s` seconds within the block, from a thread of its own.

    A database that is away is tried again at the next beat: presence is for people to see, leases rest on nothing here.
    registered: set once the database knows.
    """

    def __init__(self, database: Database, facts: WorkerFacts, *, every_s: float = BEAT_S) -> None:
        self._database = database
        self._facts = facts
        self._every_s = every_s
        self.registered = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        # A database that hangs must not keep the process from ending.
        self._thread.join(RETIRE_S)

    def _run(self) -> None:
        self._beat()
        while not self._stop.wait(self._every_s):
            self._beat()
        self._retire()

    def _beat(self) -> None:
        try:
            with self._database.transaction(durable=False) as session:
                if self.registered.is_set():
                    workers.heartbeat(session, self._facts.name)
                else:
                    workers.register(session, self._facts)
            self.registered.set()
        except DatabaseUnavailable as error:
            log.debug("no sign of life: %s", error)

    def _retire(self) -> None:
        try:
            with self._database.transaction(durable=False) as session:
                workers.retire(session, self._facts.name)
        except DatabaseUnavailable as error:
            log.debug("nobody is told of the end: %s", error)


def facts_of_this_process(
    name: str, kind: str, queues: Sequence[str] = (), details: Mapping[str, Any] | None = None
) -> WorkerFacts:
    """name: the one it owns leases under; kind: `worker`, `agent` or `scheduler`."""
    version = metadata.version("paretofarm")
    return WorkerFacts(name, kind, socket.gethostname(), os.getpid(), tuple(queues), version, details or {})
