"""The agent of a device class that is a table: no phone, no health, the same queue, leases and reports."""

import logging
import os
import socket

from db import migrate, phones
from db.phones import PhoneFacts
from db.presence import Presence, facts_of_this_process
from db.session import Database
from device_agents.app import agent_app
from device_agents.consuming import consume
from device_agents.gate import Gate
from device_agents.table_measurer import TableMeasurer
from paretofarm import instruments
from paretofarm.lifecycle import Stage, queue_name
from paretofarm.meter import NO_METER, Meter
from paretofarm.settings import Settings

log = logging.getLogger(__name__)


def run(settings: Settings, *, device: str, meter: Meter = NO_METER) -> None:
    """Answers for the device class until SIGTERM or SIGINT. Must be called in the main thread."""
    migrate.require_usable(settings.database_url)
    database = Database(settings.database_url)
    owner = f"agent-table-{device}@{socket.gethostname()}-{os.getpid()}"
    gate = Gate([queue_name(Stage.MEASURE, device)], obstacle=lambda: None)
    try:
        measurer = TableMeasurer(register(database, device, owner), device)
        app = agent_app(
            settings.broker_url,
            database=database,
            gate=gate,
            work=measurer.measure,
            owner=owner,
            lease_s=settings.lease_s,
            meter=meter,
        )
        meter.set(instruments.SLOTS, 1.0)
        log.info("agent is up: a table for device class %s", device)
        with Presence(database, facts_of_this_process(owner, "agent", gate.queues)):
            consume(app, gate, name=f"table:{device}", stop=lambda: None)
    finally:
        database.dispose()


def register(database: Database, device: str, owner: str) -> int:
    """Id of the simulated phone that stands for the table in the database."""
    facts = PhoneFacts(
        serial=f"table-{device}", device=device, address=f"table:{device}", simulated=True, model="a table"
    )
    with database.transaction() as session:
        return phones.register(session, facts, agent=owner)
