"""The exporter as a process: readings of the database, served to Prometheus."""

import logging

from cli.metrics.address import MetricsAddress
from cli.metrics.cached_readings import CachedReadings
from cli.metrics.serving import serve_metrics
from cli.signals import interruptible, wait_for_interrupt
from db.readings import FarmReadings
from db.session import Database
from paretofarm.instrument import Process
from paretofarm.settings import Settings
from scheduler.broker import Broker

log = logging.getLogger(__name__)

KEEP_S = 5.0


def run_exporter(settings: Settings, address: MetricsAddress) -> None:
    """Runs until Ctrl-C or SIGTERM. ConfigError where the port cannot be had; servers that are away are waited for."""
    database, broker = Database(settings.database_url, pool_size=1), Broker(settings.broker_url)
    farm = FarmReadings(database, artifacts=settings.artifacts, broker_answers=broker.answers)
    try:
        with serve_metrics(address, Process.EXPORTER, [CachedReadings(farm.read, keep_s=KEEP_S)]), interruptible():
            log.info("exporter is up")
            wait_for_interrupt()
    finally:
        broker.close()
        database.dispose()
    log.info("exporter stops")
