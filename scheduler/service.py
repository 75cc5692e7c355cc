"""The scheduler as a process."""

import logging
import signal
import threading

from db.session import Database
from paretofarm.settings import Settings
from scheduler.broker import Broker
from scheduler.loop import Scheduler

log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT. Must be called in the main thread."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    database = Database(settings.database_url)
    broker = Broker(settings.broker_url)
    log.info("scheduler is up")
    try:
        Scheduler(database, broker, resend_s=settings.resend_s).run(stop)
    finally:
        broker.close()
        database.dispose()
    log.info("scheduler stops")
