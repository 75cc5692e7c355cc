"""The scheduler's loop: tick, send, wait for a notification or a second, again. A restart loses nothing."""

import logging
import threading
import time
from collections.abc import Sequence

from sqlalchemy.orm import Session

from db import dispatch, experiments, leases, workers
from db.experiments import ExperimentStatus
from db.notify import CHANNEL
from db.planning import plans
from db.session import Database
from paretofarm import instruments
from paretofarm.capacity import NOBODY
from paretofarm.dispatching import window
from paretofarm.errors import BrokerUnavailable, DatabaseUnavailable
from paretofarm.meter import NO_METER, Meter
from scheduler.broker import Broker
from scheduler.search import Search

log = logging.getLogger(__name__)

POLL_S = 1.0


class Scheduler:
    """Plans for all active searches. Of several schedulers on one database one plans at a time, others stand by."""

    def __init__(self, database: Database, broker: Broker, *, resend_s: float, meter: Meter = NO_METER) -> None:
        self._database = database
        self._broker = broker
        self._resend_s = resend_s
        self._meter = meter
        self._searches: dict[int, Search] = {}
        self._broker_is_down = False
        self._capacity = NOBODY

    def run(self, stop: threading.Event) -> None:
        """Ticks until `stop` is set; a database or broker that is away is waited for."""
        while not stop.is_set():
            try:
                with self._database.listener(CHANNEL) as listener:
                    while not stop.is_set():
                        self.tick()
                        listener.wait(POLL_S)
            except DatabaseUnavailable as error:
                self._meter.add(instruments.OUTAGES, server="database")
                log.warning("waiting for the database: %s", error)
                self._searches.clear()
                stop.wait(POLL_S)

    def tick(self) -> None:
        """Decides in one transaction, sends after the commit of another."""
        started = time.monotonic()
        leads = self._plan()
        self._meter.set(instruments.LEADING, float(leads))
        if leads:
            self._dispatch()
            self._meter.observe(instruments.TICK_SECONDS, time.monotonic() - started)

    def _plan(self) -> bool:
        """False where another scheduler is the one that plans."""
        with self._database.transaction() as session:
            if not plans(session):
                return False
            expired = leases.requeue_expired(session)
            if expired:
                log.warning("%s leases had expired", expired)
            self._tick_searches(session)
        return True

    def _tick_searches(self, session: Session) -> None:
        active = experiments.active(session)
        running = sum(stored.status is ExperimentStatus.RUNNING for stored in active)
        self._capacity = workers.live_capacity(session, searches=running)
        for stored in active:
            search = self._searches.get(stored.id)
            if search is None or search.stored.experiment != stored.experiment:  # its limit was raised
                search = self._searches[stored.id] = Search(stored, self._meter)
            search.tick(session, stored.status, self._capacity)
        for ended in self._searches.keys() - {stored.id for stored in active}:
            del self._searches[ended]

    def _dispatch(self) -> None:
        """Stamps what is due and sends it. What could not be sent is unstamped, so that it need not wait to be lost."""
        with self._database.transaction(durable=False) as session:
            overdue = dispatch.overdue_queues(session, resend_s=self._resend_s)
        drained = self._drained(overdue)
        with self._database.transaction(durable=False) as session:
            limit = window(self._capacity.places)
            messages = dispatch.due(session, limit=limit, resend_s=self._resend_s, drained=drained)
        if not messages:
            return
        try:
            self._broker.send(messages)
        except BrokerUnavailable as error:
            self._warn_once(error)
            with self._database.transaction(durable=False) as session:
                dispatch.unsent(session, messages)
        else:
            self._broker_is_down = False
            for message in messages:
                self._meter.add(instruments.MESSAGES, queue=message.queue)

    def _drained(self, queues: Sequence[str]) -> set[str]:
        """Those of the queues in which nothing waits; none where the broker cannot be asked."""
        try:
            return self._broker.drained(queues) if queues else set()
        except BrokerUnavailable as error:
            self._warn_once(error)
            return set()

    def _warn_once(self, error: BrokerUnavailable) -> None:
        if not self._broker_is_down:
            self._meter.add(instruments.OUTAGES, server="broker")
            log.warning("work waits in the database until the broker is back: %s", error)
        self._broker_is_down = True
