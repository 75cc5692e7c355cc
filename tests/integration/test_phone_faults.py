"""What befalls phones in a lab: whatever it is, no measurement is lost or recorded twice, none is taken outside the
gates, and the right party is blamed. Times are scaled down; the phone is a virtual one behind a faulty wire."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest
from fault_proxy import Fault
from phone_lab import STEADY, Lab, awaited, lab, soon

from db import phones
from db.events import EventKind
from db.phone_work import past_steps, work_since
from db.phones import PhoneState
from db.session import Database
from db.tables import ReferenceCheckRow
from device_agents.link import limits
from device_agents.link.keys import ensure_key_pair, public_key_path
from device_agents.phone import NETWORKS
from device_agents.virtual_phone.processes import MARK
from paretofarm.lifecycle import EvaluationStatus
from paretofarm.phone_health import Recovery

DONE, FAILED = EvaluationStatus.DONE, EvaluationStatus.FAILED
SUBSYSTEM = "Transport layer setup failed: 14001"
WITHIN = 2
"""Observations of a measurement: the first is made before it, the others after its blocks."""


@pytest.fixture
def two(database: Database, tmp_path: Path) -> Iterator[Lab]:
    with lab(database, tmp_path) as made:
        yield made


@pytest.fixture
def one(database: Database, tmp_path: Path) -> Iterator[Lab]:
    with lab(database, tmp_path, candidates_=1) as made:
        yield made


def all_measured(lab: Lab) -> None:
    """Each candidate once, within the gates, by no failed attempt."""
    assert [outcome[0] for outcome in lab.outcomes()] == [DONE] * len(lab.networks)
    assert lab.failures() == []
    rows = lab.measurements()
    assert sorted(row.network_sha256 for row in rows) == sorted(lab.networks)
    for row in rows:
        before = row.conditions["before"]
        assert (before["thermal_status"], before["power_saver"], before["booted"]) == (0, False, True)
        assert before["battery_level"] >= 30
        assert [block["disturbed"] for block in row.samples].count(None) >= 3


def test_nothing_befalls_it(two: Lab) -> None:
    two.run()
    all_measured(two)
    assert (two.handed_back(), two.blamed()) == (0, [])
    assert two.state() is PhoneState.READY


@dataclass(frozen=True)
class Trouble:
    """What befalls a phone, what it is called then, and how it ends."""

    begin: Callable[[Lab], object]
    state: PhoneState
    end: Callable[[Lab], object] = lambda lab: None


def reboot(lab: Lab) -> None:
    lab.change(boot_completion_s=1.5)
    lab.virtual.reboot()


TROUBLES = {
    "reset": Trouble(lambda lab: lab.wire.arm(Fault.RESET), PhoneState.OFFLINE, lambda lab: lab.wire.disarm()),
    "black hole": Trouble(lambda lab: lab.wire.arm(Fault.SWALLOW), PhoneState.OFFLINE, lambda lab: lab.wire.disarm()),
    "kill": Trouble(Lab.unplug, PhoneState.OFFLINE, Lab.plug),
    "reboot": Trouble(reboot, PhoneState.BOOTING),
    "hot": Trouble(
        lambda lab: lab.change(thermal_status=3), PhoneState.COOLING, lambda lab: lab.change(thermal_status=0)
    ),
    "low battery": Trouble(
        lambda lab: lab.change(battery_level=12), PhoneState.LOW_BATTERY, lambda lab: lab.change(battery_level=80)
    ),
    "power saver": Trouble(
        lambda lab: lab.change(low_power=True), PhoneState.UNHEALTHY, lambda lab: lab.change(low_power=False)
    ),
    "storage full": Trouble(
        lambda lab: lab.change(storage_bytes=2**20), PhoneState.FULL, lambda lab: lab.change(storage_bytes=None)
    ),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=list(TROUBLES))
def test_what_befalls_a_phone_is_the_phones_fault(one: Lab, trouble: Trouble) -> None:
    one.strikes[WITHIN] = lambda: trouble.begin(one)
    one.run(until=lambda: one.state() is trouble.state, limit_s=90)
    assert [outcome[:2] for outcome in one.outcomes()] == [(EvaluationStatus.QUEUED, 0)]
    assert one.measurements() == []
    trouble.end(one)
    one.run()
    all_measured(one)
    assert one.handed_back() == 1
    assert one.blamed() == ["phone"]


def test_a_black_hole_within_a_block_is_noticed_long_before_the_block_must_have_ended(
    one: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ASK_FOR_LIFE_S", 0.5)
    monkeypatch.setattr(limits, "SIGN_OF_LIFE_S", 2.0)
    one.measurer = replace(one.measurer, environment={**os.environ, "PARETOFARM_BLOCK_TIMEOUT_SECONDS": "600"})

    def begin() -> None:
        one.let_runners("hang")
        soon(lambda: one.wire.arm(Fault.SWALLOW), 1.0)

    one.strikes[WITHIN] = begin
    one.run(until=lambda: one.state() is PhoneState.OFFLINE, limit_s=60)
    assert [outcome[:2] for outcome in one.outcomes()] == [(EvaluationStatus.QUEUED, 0)]
    assert orphans(one), "the phone runs on while nobody hears of it"
    one.change(runner=STEADY)
    one.wire.disarm()
    one.run()
    all_measured(one)
    assert one.blamed() == ["phone"]
    assert orphans(one) == []


def test_a_phone_that_flaps_is_not_trusted_again_and_again(two: Lab) -> None:
    """Scaled down: every fifth of a second for three seconds."""
    for flap in range(15):
        soon(lambda: two.wire.arm(Fault.RESET), 0.2 * flap)
        soon(two.wire.disarm, 0.2 * flap + 0.1)
    two.run()
    all_measured(two)
    assert two.handed_back() <= 4


def test_an_unauthorized_phone_waits_for_somebody_to_tap(database: Database, tmp_path: Path) -> None:
    accepted = tmp_path / "accepted.pub"
    accepted.write_bytes(public_key_path(ensure_key_pair(tmp_path / "adbkey")).read_bytes())
    content = accepted.read_bytes()
    with lab(database, tmp_path, keys=[accepted]) as made:

        def revoke() -> None:
            accepted.write_text("")
            made.wire.arm(Fault.CUT)

        made.strikes[WITHIN] = revoke
        made.run(until=lambda: made.state() is PhoneState.UNAUTHORIZED)
        assert "accept this computer's key" in (made.known().state_reason or "")
        accepted.write_bytes(content)
        made.run()
        all_measured(made)
        assert made.blamed() == ["phone"]


def test_a_runner_that_hangs_on_everything_is_the_phones_and_a_reboot_helps(one: Lab) -> None:
    one.strikes[WITHIN] = lambda: one.let_runners("hang", until_reboot=True)
    one.run(limit_s=60)
    all_measured(one)
    assert one.blamed() == ["phone"]
    steps = [event.details["step"] for event in one.seen(EventKind.PHONE_RECOVERY)]
    assert steps == ["kill", "reconnect", "reboot"]
    with one.database.transaction() as session:
        kept = past_steps(session, one.known().id, within_s=3600)
        assert [each.step for each in kept] == [Recovery.KILL, Recovery.RECONNECT, Recovery.REBOOT]
    assert one.state() is PhoneState.READY


@pytest.mark.parametrize("how", ["hang", "crash"])
def test_a_network_that_breaks_its_runner_twice_is_to_blame(two: Lab, how: str) -> None:
    two.let_runners(how, two.networks[0])
    two.run(limit_s=60)
    assert two.outcomes()[0] == (FAILED, 2, "NotDeployable")
    assert two.outcomes()[1][0] is DONE
    assert two.blamed() == ["unclear", "candidate"]
    assert two.state() is PhoneState.READY


def test_a_network_that_is_refused_beside_a_running_reference_is_to_blame_at_once(two: Lab) -> None:
    context = "QnnContext_createFromBinary failed with error 1002"
    two.let_runners(f"refuse: {context}", two.networks[0])
    two.change(logcat="E/QnnDsp: it was the context\nI/chatty: noise\n")
    two.run()
    assert two.outcomes()[0] == (FAILED, 1, "NotDeployable")
    assert two.outcomes()[1][0] is DONE
    [failure] = two.seen(EventKind.MEASUREMENT_FAILED)
    details = failure.details
    assert (details["blamed"], details["dsp"], details["reference_runs"]) == ("candidate", "context", True)
    assert context in details["reason"]
    assert details["log"] == "E/QnnDsp: it was the context"
    assert failure.candidate_id is not None


def test_a_dsp_that_is_down_is_the_phones_and_a_reboot_helps(one: Lab) -> None:
    one.strikes[WITHIN] = lambda: one.let_runners(f"refuse: {SUBSYSTEM}", until_reboot=True)
    one.run()
    all_measured(one)
    [failure] = one.seen(EventKind.MEASUREMENT_FAILED)
    assert (failure.details["blamed"], failure.details["dsp"]) == ("phone", "subsystem")
    assert one.known().state is PhoneState.READY


def test_a_phone_that_nothing_helps_is_quarantined_until_it_is_released(one: Lab) -> None:
    one.strikes[WITHIN] = lambda: one.let_runners(f"refuse: {SUBSYSTEM}")
    one.run(until=lambda: one.state() is PhoneState.QUARANTINED)
    [event] = one.seen(EventKind.PHONE_QUARANTINED)
    assert SUBSYSTEM in event.details["reason"]
    assert [outcome[:2] for outcome in one.outcomes()] == [(EvaluationStatus.QUEUED, 0)]
    one.change(runner=STEADY)
    one.new_agent()
    assert one.guard.health.look() is not None
    assert one.state() is PhoneState.QUARANTINED
    with one.database.transaction() as session:
        assert phones.release(session, "LAB1")
    one.run()
    all_measured(one)


def orphans(lab: Lab) -> list[str]:
    """Command lines of what still runs on the phone, its runner's server aside."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(lab.root) and "sleep" in process.cmdline():
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def test_an_orphan_never_survives_the_next_job(two: Lab) -> None:
    """Every runner leaves a process behind that its process group does not hold."""
    two.let_runners("orphan", two.networks[0])
    two.run(until=lambda: two.open_evaluations() == 1)
    assert orphans(two)
    two.run()
    all_measured(two)
    awaited(lambda: not orphans(two), "the orphans' end")


def test_what_a_killed_agent_left_running_does_not_survive_its_successor(one: Lab) -> None:
    one.phone.link.start(["sleep", "86400"], folder=one.phone.job_folder("7-1"))
    awaited(lambda: bool(orphans(one)), "a job")
    one.new_agent()
    awaited(lambda: not orphans(one), "the orphan's end")
    one.run()
    all_measured(one)


def test_another_benchmark_is_waited_for(one: Lab) -> None:
    one.change(processes=["snpe-net-run"])
    one.run(until=lambda: one.state() is PhoneState.UNHEALTHY)
    assert one.known().state_reason == "another benchmark runs: snpe-net-run (40000)"
    one.change(processes=[])
    one.run()
    all_measured(one)


def test_while_a_phone_cools_down_its_next_network_is_pushed(two: Lab) -> None:
    two.change(thermal_status=2)
    two.guard.health.look()
    pushed = two.phone.link.run(["ls", NETWORKS], timeout_s=5).stdout.split()
    assert pushed == [two.networks[0]]
    two.guard.health.look()
    two.change(thermal_status=0)
    two.run()
    all_measured(two)


def test_a_phone_that_drifts_raises_an_alarm(one: Lab) -> None:
    """The reference was ten thousand times as fast in the checks before, as far as the database knows."""
    one.guard.health.look()
    for _ in range(2):
        one.guard.health.doubt()
        one.guard.health.look()
    with one.database.transaction() as session:
        assert session.query(ReferenceCheckRow).filter_by(passed=True).count() == 3
        session.query(ReferenceCheckRow).update({"latency_ms": 0.0001})
    one.guard.health.doubt()
    one.run(until=lambda: one.state() is PhoneState.QUARANTINED)
    drifted = one.seen(EventKind.PHONE_DRIFTED)
    assert "more than usual" in drifted[0].details["reason"]
    assert drifted[0].details["ratio"] > 4
    assert one.opened == 0


def test_another_output_is_no_drift_but_a_defect(one: Lab) -> None:
    one.guard.health.look()
    with one.database.transaction() as session:
        [check] = session.query(ReferenceCheckRow)
        assert check.output_sha256 is not None
        check.output_sha256 = "f" * 64
    one.guard.health.doubt()
    one.run(until=lambda: one.state() is PhoneState.QUARANTINED)
    assert "gives another output" in (one.known().state_reason or "")


def test_another_build_of_android_begins_a_band_of_its_own(one: Lab) -> None:
    one.guard.health.look()
    with one.database.transaction() as session:
        session.query(ReferenceCheckRow).update({"output_sha256": "f" * 64})
    new_build = {"properties": {"ro.build.fingerprint": "another/build"}}
    one.strikes[WITHIN] = lambda: (one.change(after_reboot=new_build), reboot(one))
    one.run()
    all_measured(one)
    assert one.guard.health.identity.fingerprint == "another/build"
    assert one.known().state is PhoneState.READY


def test_another_phone_at_the_same_address_is_not_measured(one: Lab) -> None:
    one.guard.health.look()
    stranger = {"properties": {"ro.serialno": "STRANGER"}}
    one.change(after_reboot=stranger)
    one.virtual.reboot()
    one.run(until=lambda: "STRANGER" in (one.known().state_reason or ""))
    assert one.opened == 0
    one.change(properties={})
    one.run()
    all_measured(one)


def test_the_phones_time_is_accounted_for(one: Lab) -> None:
    one.strikes[WITHIN] = lambda: one.wire.arm(Fault.CUT)
    one.run()
    one.guard.health.look()
    known = one.known()
    with one.database.transaction() as session:
        kinds = [each.kind for each in work_since(session, known.id, known.created_at)]
    assert kinds.count("measurement") >= 2
    assert kinds.count("check") >= 2


def test_nothing_is_handed_back_for_ever(one: Lab) -> None:
    """A network that overheats the phone each time, in spite of all rests, fails in the end."""

    def heat() -> None:
        one.observations = 0
        one.strikes[WITHIN] = heat
        one.change(thermal_status=2)

    def cooled_until_it_counts() -> bool:
        if one.state() is PhoneState.COOLING:
            one.change(thermal_status=0)
        return "PhoneOverheated" in one.failures()

    one.strikes[WITHIN] = heat
    one.run(until=cooled_until_it_counts, limit_s=90)
    assert one.handed_back() == 10
