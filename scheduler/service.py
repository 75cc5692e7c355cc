"""The scheduler as a process."""

import logging
import os
import signal
import socket
import threading

from db.presence import Presence, facts_of_this_process
from db.session import Database
from paretofarm.meter import NO_METER, Meter
from paretofarm.settings import Settings
from scheduler.broker import Broker
from scheduler.loop import Scheduler

log = logging.getLogger(__name__)


def run(settings: Settings, *, meter: Meter = NO_METER) -> None:
    """Runs until SIGTERM or SIGINT. Must be called in the main thread."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    database = Database(settings.database_url)
    broker = Broker(settings.broker_url)
    try:
        log.info("scheduler is up")
        facts = facts_of_this_process(f"scheduler@{socket.gethostname()}-{os.getpid()}", "scheduler")
        with Presence(database, facts):
            Scheduler(database, broker, resend_s=settings.resend_s, meter=meter).run(stop)
    finally:
        broker.close()
        database.dispose()
    log.info("scheduler stops")
