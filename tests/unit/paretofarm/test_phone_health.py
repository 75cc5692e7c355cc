"""The state machine of a phone: what it is called, when it may be measured, and what is done about its troubles."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretofarm.phone_health import (
    Do,
    Fault,
    Health,
    HealthRules,
    Next,
    PastStep,
    PhoneState,
    Recovery,
    begun,
    checked,
    doubted,
    following,
    looked,
    quarantined,
    recovered,
    released,
    status,
    suspected,
    worked,
)

RULES = HealthRules()
FULL_LADDER = replace(RULES, ladder=tuple(Recovery))
GONE = Fault(PhoneState.OFFLINE, "does not answer")
HOT = Fault(PhoneState.COOLING, "thermal status 3")


def proven(now: float = 0.0) -> Health:
    return checked(Health(), None, now, RULES)


def flap(health: Health, now: float) -> Health:
    """Gone, and back a moment later."""
    return looked(looked(health, GONE, now, RULES), None, now + 1, RULES)


def test_a_phone_proves_itself_before_its_first_measurement() -> None:
    fresh = begun([], 0.0, RULES)
    assert following(fresh, 0.0, RULES) == Next(Do.CHECK)
    assert status(fresh, 0.0, RULES).state is PhoneState.BUSY
    assert following(proven(), 0.0, RULES) == Next(Do.WORK)
    assert status(proven(), 0.0, RULES).state is PhoneState.READY


@pytest.mark.parametrize(
    "state", [PhoneState.COOLING, PhoneState.LOW_BATTERY, PhoneState.FULL, PhoneState.UNHEALTHY, PhoneState.OFFLINE]
)
def test_while_something_stands_against_it_nothing_is_done(state: PhoneState) -> None:
    health = looked(proven(), Fault(state, "why"), 1.0, RULES)
    assert following(health, 1.0, RULES) == Next(Do.WAIT)
    assert (status(health, 1.0, RULES).state, status(health, 1.0, RULES).reason) == (state, "why")


def test_a_phone_that_has_cooled_down_works_at_once() -> None:
    health = looked(looked(proven(), HOT, 1.0, RULES), None, 2.0, RULES)
    assert following(health, 2.0, RULES) == Next(Do.WORK)


def test_a_phone_that_comes_back_must_stay_and_prove_itself() -> None:
    health = flap(proven(), 10.0)
    assert following(health, 12.0, RULES) == Next(Do.WAIT)
    assert status(health, 12.0, RULES).state is PhoneState.OFFLINE
    assert following(health, 13.1, RULES) == Next(Do.CHECK)


def test_each_loss_of_late_doubles_the_wait() -> None:
    """A phone that flaps every two seconds for a minute is trusted twice at the very most."""
    health, chances = proven(), 0
    for now in range(0, 60, 2):
        health = flap(health, float(now))
        chances += following(health, now + 1.9, RULES).do is not Do.WAIT
    assert chances <= 2
    assert status(health, 61.0, RULES).state is PhoneState.OFFLINE
    assert following(health, 59 + RULES.max_steady_s, RULES) == Next(Do.CHECK)


def test_losses_are_forgiven() -> None:
    health = proven()
    for now in (0.0, 4000.0, 8000.0):
        health = flap(health, now)
    assert following(health, 8001 + RULES.steady_s, RULES) == Next(Do.CHECK)


def test_a_boot_is_followed_by_a_minute_of_rest() -> None:
    booting = looked(begun([], 0.0, RULES), Fault(PhoneState.BOOTING, "boot"), 0.0, RULES)
    health = looked(booting, None, 5.0, RULES)
    assert status(health, 64.9, RULES).state is PhoneState.BOOTING
    assert following(health, 64.9, RULES) == Next(Do.WAIT)
    assert following(health, 65.0, RULES) == Next(Do.CHECK)


def test_the_reference_runs_again_after_half_an_hour_of_measuring() -> None:
    assert following(worked(proven(), 1799), 0.0, RULES) == Next(Do.WORK)
    assert following(worked(proven(), 1800), 0.0, RULES) == Next(Do.CHECK)
    assert following(checked(worked(proven(), 1800), None, 0.0, RULES), 0.0, RULES) == Next(Do.WORK)


def test_a_noisy_measurement_makes_it_run_sooner() -> None:
    assert following(doubted(proven()), 0.0, RULES) == Next(Do.CHECK)


def steps_until_the_end(rules: HealthRules, *, cured_by: Recovery | None = None) -> list[Recovery]:
    """Every step taken against a suspicion, the reference failing after each but one; time flies between them."""
    health, now, taken = suspected(proven(), "14001", 0.0, rules), 0.0, list[Recovery]()
    for _ in range(50):
        match following(health, now, rules):
            case Next(Do.RECOVER, step) if step is not None:
                taken.append(step)
                health = recovered(health, step, now, rules)
            case Next(Do.CHECK):
                cured = cured_by is not None and bool(taken) and taken[-1] is cured_by
                health = checked(health, None if cured else "14001", now, rules)
            case Next(Do.QUARANTINE):
                assert cured_by is None
                return taken
            case Next(Do.WAIT):
                now += 1000
            case Next(Do.WORK):
                assert cured_by is not None
                return taken
    raise AssertionError("the ladder has no end")


def test_the_ladder_is_climbed_once_and_ends_in_quarantine() -> None:
    assert steps_until_the_end(FULL_LADDER) == list(Recovery)
    assert steps_until_the_end(RULES) == [Recovery.KILL, Recovery.RECONNECT, Recovery.REBOOT]


@pytest.mark.parametrize("step", list(Recovery))
def test_the_first_step_that_helps_is_the_last(step: Recovery) -> None:
    taken = steps_until_the_end(FULL_LADDER, cured_by=step)
    assert taken == list(Recovery)[: len(taken)]
    assert taken[-1] is step


def test_the_dsp_has_time_to_restart_after_a_kill() -> None:
    health = recovered(suspected(proven(), "4000", 0.0, RULES), Recovery.KILL, 0.0, RULES)
    assert following(health, 9.9, RULES) == Next(Do.WAIT)
    assert status(health, 9.9, RULES).state is PhoneState.SUSPECT
    assert following(health, 10.0, RULES) == Next(Do.CHECK)


def test_a_reboot_is_no_lost_link() -> None:
    health = recovered(suspected(proven(), "4000", 0.0, RULES), Recovery.REBOOT, 0.0, RULES)
    health = looked(health, GONE, 5.0, RULES)
    assert status(health, 5.0, RULES).state is PhoneState.BOOTING
    health = looked(health, None, 40.0, RULES)
    assert health.losses == ()
    assert following(health, 99.0, RULES) == Next(Do.WAIT)
    assert following(health, 100.0, RULES) == Next(Do.CHECK)


def test_a_phone_that_does_not_come_back_from_a_reboot_is_offline() -> None:
    health = recovered(suspected(proven(), "4000", 0.0, RULES), Recovery.REBOOT, 0.0, RULES)
    health = looked(looked(health, GONE, 5.0, RULES), GONE, 301.0, RULES)
    assert status(health, 301.0, RULES).state is PhoneState.OFFLINE
    assert following(health, 301.0, RULES) == Next(Do.WAIT)


def test_a_phone_that_is_away_for_long_is_power_cycled_once_where_that_is_possible() -> None:
    health = looked(proven(), GONE, 0.0, FULL_LADDER)
    assert following(health, 299.0, FULL_LADDER) == Next(Do.WAIT)
    assert following(health, 300.0, FULL_LADDER) == Next(Do.RECOVER, Recovery.POWER_CYCLE)
    assert following(health, 300.0, RULES) == Next(Do.WAIT)
    health = recovered(health, Recovery.POWER_CYCLE, 300.0, FULL_LADDER)
    health = looked(health, GONE, 2000.0, FULL_LADDER)
    assert following(health, 2000.0, FULL_LADDER) == Next(Do.WAIT)


def test_a_phone_that_recovers_too_often_is_quarantined_all_the_same() -> None:
    health = proven()
    for day_time in (0.0, 1000.0, 2000.0):
        health = checked(suspected(health, "drift", day_time, RULES), None, day_time, RULES)
        assert following(health, day_time, RULES) == Next(Do.WORK)
    health = suspected(health, "drift", 3000.0, RULES)
    assert status(health, 3000.0, RULES).state is PhoneState.QUARANTINED
    assert "4 times within 24 hours" in (status(health, 3000.0, RULES).reason or "")


def test_quarantine_ends_by_release_only() -> None:
    health = quarantined(proven(), "nothing helped")
    health = looked(looked(health, GONE, 1.0, RULES), None, 1e6, RULES)
    assert following(health, 1e6, RULES) == Next(Do.WAIT)
    assert following(released(health), 1e6, RULES) == Next(Do.CHECK)


def test_a_new_process_goes_on_where_the_old_one_ended_itself() -> None:
    past = [PastStep(Recovery.KILL, 30.0), PastStep(Recovery.NEW_PROCESS, 5.0)]
    health = begun(past, 100.0, FULL_LADDER)
    assert following(health, 100.0, FULL_LADDER) == Next(Do.CHECK)
    failed = checked(health, "still", 100.0, FULL_LADDER)
    assert following(failed, 100.0, FULL_LADDER) == Next(Do.RECOVER, Recovery.REBOOT)
    assert begun([PastStep(Recovery.NEW_PROCESS, 4000.0)], 0.0, FULL_LADDER).suspicion is None


def test_reboots_count_whichever_process_ordered_them() -> None:
    past = [PastStep(Recovery.REBOOT, age) for age in (9000.0, 6000.0, 3000.0)]
    health = suspected(begun(past, 0.0, RULES), "again", 0.0, RULES)
    assert status(health, 0.0, RULES).state is PhoneState.QUARANTINED


observations = st.one_of(
    st.none(),
    st.builds(Fault, st.sampled_from([state for state in PhoneState if state is not PhoneState.READY]), st.just("x")),
    st.sampled_from(["passes", "fails", "suspect", "worked"]),
)


@given(st.lists(st.tuples(observations, st.floats(0, 500)), max_size=60))
def test_whatever_happens_it_works_only_while_nothing_stands_against_it(
    history: list[tuple[Fault | str | None, float]],
) -> None:
    health, now = Health(), 0.0
    for seen, pause in history:
        now += pause
        match seen:
            case "passes" | "fails" if following(health, now, RULES).do is Do.CHECK:
                health = checked(health, None if seen == "passes" else "bad", now, RULES)
            case "suspect" if following(health, now, RULES).do is Do.WORK:
                health = suspected(health, "bad", now, RULES)
            case "worked":
                health = worked(health, 10.0)
            case Fault() | None:
                health = looked(health, seen, now, RULES)
        planned = following(health, now, RULES)
        if planned.do is Do.RECOVER:
            assert planned.step is not None
            health = recovered(health, planned.step, now, RULES)
        works = following(health, now, RULES).do is Do.WORK
        told = status(health, now, RULES).state
        assert works <= (told is PhoneState.READY)
        assert not (works and (health.fault or health.suspicion or health.unproven or health.quarantine))
