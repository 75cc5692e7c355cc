"""The agent as a process: one phone, from its registration to SIGTERM."""

import logging
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from db import migrate, phones
from db.artifacts import ArtifactStore
from db.claim import Claim
from db.phone_work import WorkKind
from db.phones import PhoneFacts
from db.presence import Presence, facts_of_this_process
from db.report import Report
from db.session import Database
from db.work import LeaseKeeper, Work
from device_agents.app import agent_app
from device_agents.blame import Guard
from device_agents.care import care_for
from device_agents.consuming import consume
from device_agents.gate import Gate
from device_agents.link import open_link
from device_agents.measurer import Measurer
from device_agents.metrics import PhoneMetrics
from device_agents.phone import Identity, Phone, device_class
from device_agents.recovery import NewProcessWanted
from device_agents.scorer import Scorer
from device_agents.table_measurer import TableMeasurer
from paretofarm.errors import PhoneOffline, PhoneUnauthorized, Unavailable
from paretofarm.lifecycle import ON_DEVICE, Stage, queue_name
from paretofarm.meter import NO_METER, Meter
from paretofarm.settings import Settings

log = logging.getLogger(__name__)

ATTACH_WAIT_S = 15.0


def run(
    settings: Settings,
    *,
    address: str,
    key: Path,
    device: str | None = None,
    meter: Meter = NO_METER,
    wait_for_broker: Callable[[], None] = lambda: None,
) -> None:
    """Attaches the phone at `address` and measures on it until SIGTERM or SIGINT. Must be called in the main thread.

    Errors: PhoneOffline or PhoneUnauthorized where the phone cannot be attached within a quarter of a minute;
    ConfigError for a device class that the phone may not have. Once attached, a phone that goes away is waited for.
    """
    link = open_link(address, key)
    phone = Phone(link)
    identity = _attach(phone, address)
    metrics = PhoneMetrics(meter, device_class(identity, device))
    migrate.require_usable(settings.database_url)
    wait_for_broker()
    database = Database(settings.database_url)
    try:
        _serve(settings, phone, identity, database, metrics=metrics, address=address)
    finally:
        link.close()
        database.dispose()


def _attach(phone: Phone, address: str) -> Identity:
    """Connects, waiting a moment for a phone that is just starting."""
    deadline = time.monotonic() + ATTACH_WAIT_S
    while True:
        try:
            phone.prepare()
            return phone.identify()
        except PhoneUnauthorized:
            raise
        except Unavailable as error:
            if time.monotonic() > deadline:
                raise PhoneOffline(f"no phone answers at {address}: {error}") from error
            log.info("waiting for the phone at %s: %s", address, error)
            time.sleep(1.0)


def _serve(
    settings: Settings, phone: Phone, identity: Identity, database: Database, *, metrics: PhoneMetrics, address: str
) -> None:
    device = metrics.device
    metrics.note_phone(identity)
    owner = f"agent-{identity.serial}@{socket.gethostname()}-{os.getpid()}"

    def register(found: Identity) -> int:
        with database.transaction() as session:
            return phones.register(session, _facts(found, device=device, address=address), agent=owner)

    crew = _crew(settings, phone, identity, database, metrics=metrics, register=register)
    recoverer = crew.guard.health.recoverer
    gate = Gate(
        [queue_name(stage, device) for stage in ON_DEVICE],
        obstacle=crew.guard.health.look,
        must_end=lambda: recoverer.new_process,
    )
    app = agent_app(
        settings.broker_url,
        database=database,
        gate=gate,
        work=crew.do,
        owner=owner,
        lease_s=settings.lease_s,
        meter=metrics.meter,
    )
    log.info("agent is up: %s (%s), device class %s", identity.serial, identity.model, device)
    with Presence(database, facts_of_this_process(owner, "agent", gate.queues)):
        consume(app, gate, name=address, stop=crew.measurer.stop)
    if recoverer.new_process:
        raise NewProcessWanted(f"{identity.serial}: the agent ends for its phone's sake, to be started anew")


@dataclass(frozen=True)
class _Crew:
    """What does the work of one phone. work: guarded, by stage; table: measures tabular searches, without the phone."""

    measurer: Measurer
    guard: Guard
    work: Mapping[Stage, Work]
    table: TableMeasurer

    def do(self, claim: Claim, keeper: LeaseKeeper) -> Report:
        """The work of `db.work.perform`."""
        work = self.table.measure if claim.experiment.is_tabular else self.work[claim.step.stage]
        return work(claim, keeper)


def _crew(
    settings: Settings,
    phone: Phone,
    identity: Identity,
    database: Database,
    *,
    metrics: PhoneMetrics,
    register: Callable[[Identity], int],
) -> _Crew:
    measurer = Measurer(
        phone=phone,
        phone_id=register(identity),
        device=metrics.device,
        simulated=identity.simulated,
        database=database,
        store=ArtifactStore(settings.artifacts, settings.cache),
        environment=os.environ,
        metrics=metrics,
    )
    scorer = Scorer(
        phone=phone,
        serial=identity.serial,
        device=metrics.device,
        simulated=identity.simulated,
        database=database,
        store=measurer.store,
        environment=os.environ,
        stopping=measurer.stopping,
    )
    guard = care_for(
        phone,
        identity,
        phone_id=measurer.phone_id,
        database=database,
        store=measurer.store,
        environment=os.environ,
        metrics=metrics,
        stopping=measurer.stopping,
        on_new_build=lambda found: _begin_anew(measurer, found, register),
    )
    work: Mapping[Stage, Work] = {
        Stage.MEASURE: guard.guarded(measurer.measure, WorkKind.MEASUREMENT),
        Stage.SCORE: guard.guarded(scorer.score, WorkKind.SCORE),
    }
    return _Crew(measurer, guard, work, TableMeasurer(measurer.phone_id, metrics.device))


def _begin_anew(measurer: Measurer, found: Identity, register: Callable[[Identity], int]) -> None:
    """Another build of Android came with the last boot: what was usual is so no more."""
    register(found)
    measurer.usual_pace.forget()


def _facts(identity: Identity, *, device: str, address: str) -> PhoneFacts:
    return PhoneFacts(
        serial=identity.serial,
        device=device,
        address=address,
        simulated=identity.simulated,
        manufacturer=identity.manufacturer,
        model=identity.model,
        soc=identity.soc,
        os_version=identity.os,
        build_fingerprint=identity.fingerprint,
        properties={"sdk": identity.sdk, "mark": identity.mark},
    )
