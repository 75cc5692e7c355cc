"""Puts together what looks after one phone."""

import threading
import time
from collections.abc import Callable, Mapping

from db import phone_work, phones
from db.artifacts import ArtifactStore
from db.session import Database
from device_agents.blame import Guard
from device_agents.health import PhoneHealth
from device_agents.ledger import Ledger
from device_agents.metrics import PhoneMetrics
from device_agents.phone import Identity, Phone
from device_agents.prefetch import Prefetch
from device_agents.records import PhoneRecords
from device_agents.recovery import Recoverer
from device_agents.reference_check import ReferenceNetwork
from paretofarm.phone_health import Health, HealthRules, begun
from paretofarm.phone_settings import PhoneSettings


def care_for(
    phone: Phone,
    identity: Identity,
    *,
    phone_id: int,
    database: Database,
    store: ArtifactStore,
    environment: Mapping[str, str],
    metrics: PhoneMetrics,
    stopping: threading.Event,
    on_new_build: Callable[[Identity], object],
) -> Guard:
    """The guard of one phone, and with it the phone's health. Errors: ConfigError for settings that cannot be used."""
    settings = PhoneSettings.from_environment(environment)
    phone.shares_processors = identity.simulated
    power_cycle = settings.power_cycle_argv(serial=identity.serial, address=phone.link.serial)
    health = PhoneHealth(
        phone=phone,
        identity=identity,
        health=_remembered(database, phone_id, settings.rules),
        rules=settings.rules,
        reference=ReferenceNetwork(
            phone,
            phone_id=phone_id,
            device=metrics.device,
            fingerprint=identity.fingerprint,
            simulated=identity.simulated,
            database=database,
            store=store,
            environment=environment,
            min_share=settings.band,
        ),
        recoverer=Recoverer(phone, power_cycle=power_cycle),
        records=PhoneRecords(database, phone_id, Ledger()),
        metrics=metrics,
        prefetch=Prefetch(phone, device=metrics.device, database=database, store=store, environment=environment),
        on_new_build=on_new_build,
    )
    return Guard(health, stopping)


def _remembered(database: Database, phone_id: int, rules: HealthRules) -> Health:
    """What agents before this one have left in the database."""
    with database.transaction() as session:
        past = phone_work.past_steps(session, phone_id, within_s=rules.suspicion_window_s)
        quarantine = phones.quarantine_reason(session, phone_id)
    return begun(past, time.monotonic(), rules, quarantine=quarantine)
