"""Looks after one phone: asks how it is, does what the state machine says, and tells the database."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from db.events import EventKind
from db.phone_work import BOOTED, WorkKind
from device_agents.conditions import Conditions, as_error
from device_agents.metrics import PhoneMetrics
from device_agents.phone import Identity, Phone
from device_agents.prefetch import Prefetch
from device_agents.records import PhoneRecords
from device_agents.recovery import Recoverer
from device_agents.reference_check import Outcome, ReferenceNetwork
from paretofarm import phone_health
from paretofarm.errors import RunnerFailed, Unavailable
from paretofarm.phone_health import AWAY, Do, Fault, Health, HealthRules, PhoneState, Recovery, Status

log = logging.getLogger(__name__)

ACTIONS_PER_LOOK = 4
MAKE_ROOM_S = 60.0
IDLE = (PhoneState.COOLING, PhoneState.LOW_BATTERY)
"""States in which a phone can still be pushed to."""


@dataclass
class PhoneHealth:
    """Everything happens in the thread that calls: the consumer's. health: so far; on_new_build: told when a phone
    comes back with another build of Android.
    """

    phone: Phone
    identity: Identity
    health: Health
    rules: HealthRules
    reference: ReferenceNetwork
    recoverer: Recoverer
    records: PhoneRecords
    metrics: PhoneMetrics
    prefetch: Prefetch
    on_new_build: Callable[[Identity], object] = lambda identity: None
    clock: Callable[[], float] = time.monotonic
    _conditions: Conditions | None = None
    _quarantine_told: bool = field(default=False)
    _rebooted: float | None = None
    _room_made: float = float("-inf")

    def __post_init__(self) -> None:
        self._quarantine_told = self.health.quarantine is not None
        self.phone.on_conditions = self._note_conditions

    def look(self) -> Unavailable | None:
        """Looks at the phone, does what is next, and tells the database. None: it may be measured now."""
        self._observe(self.phone.fault())
        for _ in range(ACTIONS_PER_LOOK):
            if not self._act():
                break
        self._tell()
        self._use_the_pause()
        status, planned = self._status(), phone_health.following(self.health, self.clock(), self.rules)
        fit = planned.do is Do.WORK and not self.recoverer.new_process
        self.metrics.note_fitness(fit)
        return None if fit else as_error(status.state, f"{status.state.value}: {status.reason or 'to be checked'}")

    def worked(self, seconds: float) -> None:
        """It was measured on for so long, by us."""
        self.phone.worked()
        self.health = phone_health.worked(self.health, seconds)

    def doubt(self) -> None:
        """The reference network runs before the next measurement."""
        self.health = phone_health.doubted(self.health)

    @property
    def answers(self) -> bool:
        """Whether it did when it was last looked at."""
        return self.health.fault is None or self.health.fault.state not in AWAY

    def is_fit_after(self, error: Unavailable | None) -> bool:
        """Whether nothing stands against measuring right after work failed. error: where the link was lost by it."""
        if error is not None:
            self._observe(Fault(PhoneState.OFFLINE, str(error)))
        self._observe(self.phone.fault())
        return self.health.fault is None

    def runs_the_reference(self, suspicion: str) -> bool | None:
        """Whether the phone still runs the reference network after work failed; if not, it is suspect.

        None: that cannot be said, for there is none, or the phone has gone.
        """
        try:
            self.phone.sweep()
        except RunnerFailed as error:
            self.suspect(f"{suspicion}; {error}")
            return False
        except Unavailable as error:
            self._observe(Fault(PhoneState.OFFLINE, str(error)))
            return None
        outcome = self._run_reference()
        if outcome is None:
            return None
        if outcome.broken:
            self.suspect(f"{suspicion}; {outcome.failure}")
        elif outcome.failure:
            self.doubt()
        return not outcome.broken

    def suspect(self, reason: str) -> None:
        self.health = phone_health.suspected(self.health, reason, self.clock(), self.rules)

    def _observe(self, fault: Fault | None) -> None:
        before = self.health.fault
        if fault is None and before is not None and before.state in AWAY:
            fault = self._recognise()
        self.health = phone_health.looked(self.health, fault, self.clock(), self.rules)

    def _recognise(self) -> Fault | None:
        """Is it the same phone that comes back, with the same system on it?"""
        try:
            found = self.phone.identify()
            if found.serial != self.identity.serial:
                return Fault(PhoneState.OFFLINE, f"another phone answers: {found.serial}, not {self.identity.serial}")
            self.phone.prepare()
        except RunnerFailed as error:
            self.suspect(str(error))
            return None
        except Unavailable as error:
            return Fault(PhoneState.OFFLINE, str(error))
        if found.fingerprint != self.identity.fingerprint:
            log.warning("%s has another system now: %s", found.serial, found.fingerprint)
            self.reference.fingerprint = found.fingerprint
            self.on_new_build(found)
        self.identity = found
        return None

    def _act(self) -> bool:
        """Does the next thing; False where there is none to be done now."""
        planned = phone_health.following(self.health, self.clock(), self.rules)
        match planned.do:
            case Do.CHECK:
                self._check()
            case Do.RECOVER if planned.step is not None and not self.recoverer.new_process:
                self._recover(planned.step)
            case Do.QUARANTINE:
                self.health = phone_health.quarantined(self.health, f"nothing helped: {self.health.suspicion}")
            case _:
                return False
        return True

    def _check(self) -> None:
        self._tell()
        if self._rebooted is not None:
            self.records.ledger.note(WorkKind.RECOVERY, BOOTED, started=self._rebooted)
            self._rebooted = None
        outcome = self._run_reference()
        if outcome is not None:
            self.health = phone_health.checked(self.health, outcome.failure, self.clock(), self.rules)
        elif self.health.fault is None:
            self.health = phone_health.checked(self.health, None, self.clock(), self.rules)

    def _run_reference(self) -> Outcome | None:
        """Runs it and notes what came of it; a phone that goes away meanwhile has a fault then."""
        started = self.clock()
        try:
            outcome = self.reference.check()
        except Unavailable as error:
            self._observe(Fault(PhoneState.OFFLINE, str(error)))
            return None
        if outcome is None:
            return None
        self.records.ledger.note(WorkKind.CHECK, "failed" if outcome.failure else "passed", started=started)
        self.metrics.note_check(outcome)
        if outcome.failure:
            log.warning("%s: %s", self.identity.serial, outcome.failure)
        if outcome.failure and not outcome.broken:
            self.records.event(EventKind.PHONE_DRIFTED, {"reason": outcome.failure, "ratio": outcome.ratio})
        return outcome

    def _recover(self, step: Recovery) -> None:
        reason = self.health.suspicion or (self.health.fault.reason if self.health.fault else "")
        log.warning("%s: recovery by %s: %s", self.identity.serial, step.value, reason)
        started = self.clock()
        failure = self.recoverer.take(step)
        self.records.ledger.note(WorkKind.RECOVERY, step.value, started=started)
        self.records.event(EventKind.PHONE_RECOVERY, {"step": step.value, "reason": reason, "failure": failure})
        self.metrics.note_recovery(step)
        self.health = phone_health.recovered(self.health, step, self.clock(), self.rules)
        if step in (Recovery.REBOOT, Recovery.POWER_CYCLE):
            self._rebooted = started

    def _tell(self) -> None:
        """The database is told, and asked whether an operator has decided otherwise."""
        fresh = self.health.quarantine if not self._quarantine_told else None
        conditions = None if self._conditions is None else self._conditions.to_dict()
        standing = self.records.tell(self._status(), conditions, quarantine=fresh)
        if standing is None:
            return
        if fresh is not None:
            log.error("%s is in quarantine: %s", self.identity.serial, fresh)
        if standing.quarantine is None and self.health.quarantine is not None:
            log.warning("%s is released", self.identity.serial)
            self.health = phone_health.released(self.health)
        elif standing.quarantine is not None and self.health.quarantine is None:
            self.health = phone_health.quarantined(self.health, standing.quarantine)
        self._quarantine_told = self.health.quarantine is not None

    def _use_the_pause(self) -> None:
        """While it waits anyway: the next networks are pushed, a full phone is emptied."""
        state = self.health.fault.state if self.health.fault and not self.health.quarantine else None
        if state in IDLE:
            self.prefetch.push_one()
        elif state is PhoneState.FULL and self.clock() - self._room_made > MAKE_ROOM_S:
            self._room_made = self.clock()
            try:
                self.phone.make_room()
            except Unavailable as error:
                log.warning("no room could be made: %s", error)

    def _status(self) -> Status:
        return phone_health.status(self.health, self.clock(), self.rules)

    def _note_conditions(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self.metrics.note_conditions(conditions)
