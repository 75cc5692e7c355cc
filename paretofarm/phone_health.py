"""How a phone is doing, as a pure state machine: what was observed goes in, its state and the next step come out.

docs/phones.md ("Health") tells the same story in prose; change both together. Times are seconds of one monotonic
clock, passed in as `now`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class PhoneState(StrEnum):
    """What an agent last knew of its phone. `unhealthy`: for a reason that has no name of its own here."""

    READY = "ready"
    BUSY = "busy"
    OFFLINE = "offline"
    UNAUTHORIZED = "unauthorized"
    UNHEALTHY = "unhealthy"
    BOOTING = "booting"
    COOLING = "cooling"
    LOW_BATTERY = "low_battery"
    FULL = "full"
    SUSPECT = "suspect"
    QUARANTINED = "quarantined"


AWAY = (PhoneState.OFFLINE, PhoneState.UNAUTHORIZED, PhoneState.BOOTING)
"""States in which nothing can be asked of a phone; whoever comes back from them has to prove itself."""


class Recovery(StrEnum):
    """The rungs of the recovery ladder, from the gentlest to the harshest."""

    KILL = "kill"
    RECONNECT = "reconnect"
    NEW_PROCESS = "new_process"
    REBOOT = "reboot"
    POWER_CYCLE = "power_cycle"


class Do(StrEnum):
    """What comes next: measure, look again later, run the reference network, take a step of recovery, give up."""

    WORK = "work"
    WAIT = "wait"
    CHECK = "check"
    RECOVER = "recover"
    QUARANTINE = "quarantine"


@dataclass(frozen=True)
class Next:
    """step: which one, where something is to be recovered."""

    do: Do
    step: Recovery | None = None


@dataclass(frozen=True)
class HealthRules:
    """How patient to be with a phone; all in seconds.

    settle_s: after a boot; boot_limit_s: how long a boot may take; retry_s: after its processes were killed (a DSP
    subsystem restarts by itself), and six times as long after a new connection; check_every_s: of measuring, between
    two reference checks; steady_s: how long a link must hold after it was lost once, doubled for each loss within
    `forgive_s`, up to `max_steady_s`. A phone that is suspected more than `max_suspicions` times within
    `suspicion_window_s` is quarantined, however often it recovered.
    """

    settle_s: float = 60.0
    boot_limit_s: float = 300.0
    retry_s: float = 10.0
    check_every_s: float = 1800.0
    steady_s: float = 2.0
    max_steady_s: float = 300.0
    forgive_s: float = 3600.0
    max_suspicions: int = 3
    suspicion_window_s: float = 24 * 3600.0
    ladder: tuple[Recovery, ...] = (Recovery.KILL, Recovery.RECONNECT, Recovery.REBOOT)


@dataclass(frozen=True)
class Fault:
    """Why a phone must not be measured at the moment, as a look at it says."""

    state: PhoneState
    reason: str


@dataclass(frozen=True)
class Hold:
    """Until when nothing is asked of the phone although it looks fit, and what it is called meanwhile."""

    until: float
    state: PhoneState
    reason: str


@dataclass(frozen=True)
class Health:
    """All that is remembered of a phone; a new one has to prove itself first.

    fault, fault_since: what the last look found, and since when in a row; unproven: the reference network must run
    before anything else does; suspicion: why it is not trusted, and `step` the last thing done about it; losses: when
    its link was lost, suspicions: when it was suspected, both of late; rebooting_since: told to reboot, not back yet;
    power_cycled: in this outage; used_s: measuring since the last check; quarantine: why it is measured on no more.
    """

    fault: Fault | None = None
    fault_since: float | None = None
    hold: Hold | None = None
    unproven: bool = True
    suspicion: str | None = None
    step: Recovery | None = None
    losses: tuple[float, ...] = ()
    suspicions: tuple[float, ...] = ()
    rebooting_since: float | None = None
    power_cycled: bool = False
    used_s: float = 0.0
    quarantine: str | None = None


@dataclass(frozen=True)
class PastStep:
    """A step of recovery that an agent before this one has taken, so many seconds ago."""

    step: Recovery
    age_s: float


def begun(past: Sequence[PastStep], now: float, rules: HealthRules, *, quarantine: str | None = None) -> Health:
    """The health of a phone whose agent has just started. past: oldest first; a new process goes on where the last
    one ended itself for the phone's sake.
    """
    reboots = (now - each.age_s for each in past if each.step is Recovery.REBOOT)
    health = Health(suspicions=_recent(reboots, now, rules.suspicion_window_s), quarantine=quarantine)
    last = past[-1] if past else None
    if last and last.step is Recovery.NEW_PROCESS and last.age_s < rules.boot_limit_s:
        return replace(health, suspicion="it failed before this agent was started anew", step=last.step)
    return health


def looked(health: Health, fault: Fault | None, now: float, rules: HealthRules) -> Health:
    """After a look at the phone's link and conditions. None: nothing stands against measuring."""
    before = health.fault
    since = now if before is None or fault is None or fault.state != before.state else health.fault_since
    health = replace(health, fault=fault, fault_since=None if fault is None else since)
    if fault is not None:
        return _gone(health, before, now, rules) if fault.state is PhoneState.OFFLINE else health
    return _back(health, before, now, rules) if before is not None and before.state in AWAY else health


def _gone(health: Health, before: Fault | None, now: float, rules: HealthRules) -> Health:
    expected = health.rebooting_since is not None
    if expected or (before is not None and before.state in AWAY):
        return health
    return replace(health, losses=(*_recent(health.losses, now, rules.forgive_s), now))


def _back(health: Health, before: Fault, now: float, rules: HealthRules) -> Health:
    """It answers again: never at once, and only with the reference network to show for it."""
    booted = health.rebooting_since is not None or before.state is PhoneState.BOOTING
    losses = _recent(health.losses, now, rules.forgive_s)
    if booted:
        hold = Hold(now + rules.settle_s, PhoneState.BOOTING, f"has booted, settles for {rules.settle_s:g} s")
    else:
        wait_s = min(rules.max_steady_s, rules.steady_s * 2.0 ** (len(losses) - 1)) if losses else 0.0
        hold = Hold(now + wait_s, PhoneState.OFFLINE, f"answers again, and must do so for {wait_s:g} s")
    return replace(health, hold=hold, losses=losses, unproven=True, rebooting_since=None, power_cycled=False)


def worked(health: Health, seconds: float) -> Health:
    """It was measured on for so long."""
    return replace(health, used_s=health.used_s + seconds)


def doubted(health: Health) -> Health:
    """Something was odd: the reference network runs before the next measurement."""
    return replace(health, unproven=True)


def checked(health: Health, failure: str | None, now: float, rules: HealthRules) -> Health:
    """The reference network has run; failure: what was wrong with it."""
    if failure is not None:
        return suspected(health, failure, now, rules)
    return replace(health, unproven=False, suspicion=None, step=None, used_s=0.0, hold=None)


def suspected(health: Health, reason: str, now: float, rules: HealthRules) -> Health:
    """Something failed that the phone is to blame for. A suspicion that lasts is one suspicion."""
    if health.suspicion is not None:
        return replace(health, suspicion=reason, unproven=False)
    suspicions = (*_recent(health.suspicions, now, rules.suspicion_window_s), now)
    health = replace(health, suspicion=reason, step=None, unproven=False, suspicions=suspicions)
    if len(suspicions) > rules.max_suspicions:
        hours = rules.suspicion_window_s / 3600
        return quarantined(health, f"suspect {len(suspicions)} times within {hours:g} hours, at last: {reason}")
    return health


def recovered(health: Health, step: Recovery, now: float, rules: HealthRules) -> Health:
    """A step of recovery was taken, with or without success: the reference network will tell."""
    boots = step in (Recovery.REBOOT, Recovery.POWER_CYCLE)
    wait_s = {Recovery.KILL: rules.retry_s, Recovery.RECONNECT: 6 * rules.retry_s}.get(step, 0.0)
    state = PhoneState.BOOTING if boots else PhoneState.SUSPECT
    reason = f"{health.suspicion or 'does not answer'} (tried: {step.value})"
    return replace(
        health,
        step=step if health.suspicion is not None else None,
        unproven=True,
        hold=Hold(now + (rules.settle_s if boots else wait_s), state, reason),
        rebooting_since=now if boots else health.rebooting_since,
        power_cycled=health.power_cycled or step is Recovery.POWER_CYCLE,
    )


def quarantined(health: Health, reason: str) -> Health:
    """Nothing helped, or an operator wants it so: measured on no more until it is released."""
    return replace(health, quarantine=reason)


def released(health: Health) -> Health:
    """An operator trusts it again: a clean record, and the reference network has to run."""
    return Health(fault=health.fault, fault_since=health.fault_since)


@dataclass(frozen=True)
class Status:
    """What people are told."""

    state: PhoneState
    reason: str | None = None


def status(health: Health, now: float, rules: HealthRules) -> Status:
    """The phone's state, the most fundamental first. The reason changes with the state only, not with the time."""
    if health.quarantine is not None:
        return Status(PhoneState.QUARANTINED, health.quarantine)
    if health.fault is not None:
        if health.fault.state is PhoneState.OFFLINE and _is_booting(health, now, rules):
            return Status(PhoneState.BOOTING, "rebooting")
        return Status(health.fault.state, health.fault.reason)
    if health.hold is not None and now < health.hold.until:
        return Status(health.hold.state, health.hold.reason)
    if health.suspicion is not None:
        return Status(PhoneState.SUSPECT, health.suspicion)
    if health.unproven:
        return Status(PhoneState.BUSY)
    return Status(PhoneState.READY)


def following(health: Health, now: float, rules: HealthRules) -> Next:
    """What to do next. Whoever does it tells `checked`, `recovered` or `quarantined`, and asks again."""
    if health.quarantine is not None:
        return Next(Do.WAIT)
    if health.fault is not None:
        return _outage_step(health, now, rules)
    if health.hold is not None and now < health.hold.until:
        return Next(Do.WAIT)
    if health.unproven:
        return Next(Do.CHECK)
    if health.suspicion is not None:
        step = _rung_after(health.step, rules.ladder)
        return Next(Do.RECOVER, step) if step else Next(Do.QUARANTINE)
    return Next(Do.CHECK if health.used_s >= rules.check_every_s else Do.WORK)


def _outage_step(health: Health, now: float, rules: HealthRules) -> Next:
    """A phone that is away is waited for; its power is the one thing that can be had without it, once an outage."""
    assert health.fault is not None
    long_gone = health.fault_since is not None and now - health.fault_since >= rules.boot_limit_s
    offline = health.fault.state is PhoneState.OFFLINE
    if offline and long_gone and not health.power_cycled and Recovery.POWER_CYCLE in rules.ladder:
        return Next(Do.RECOVER, Recovery.POWER_CYCLE)
    return Next(Do.WAIT)


def _rung_after(step: Recovery | None, ladder: Sequence[Recovery]) -> Recovery | None:
    """The first rung above; one that the rules no longer have counts by its place among all."""
    order = list(Recovery)
    reached = -1 if step is None else order.index(step)
    return next((rung for rung in ladder if order.index(rung) > reached), None)


def _is_booting(health: Health, now: float, rules: HealthRules) -> bool:
    return health.rebooting_since is not None and now - health.rebooting_since < rules.boot_limit_s


def _recent(times: Iterable[float], now: float, window_s: float) -> tuple[float, ...]:
    return tuple(time for time in times if now - time < window_s)
