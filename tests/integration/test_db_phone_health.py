"""What the database keeps of phones: quarantine, reference checks, how they spend their time, what comes next."""

from datetime import timedelta

import pytest
from factories import DOCUMENT, claim_first, store_candidates, store_experiment, store_phone

from db import candidates, events, phone_work, phones, reference_checks, upcoming
from db.artifact import StoredArtifact
from db.leases import Report, report
from db.phone_work import EndedWork, WorkKind
from db.phones import PhoneState
from db.reference_checks import ReferenceCheck
from db.session import Database
from db.tables import EvaluationRow
from paretofarm.errors import NotFound
from paretofarm.lifecycle import Stage, Step
from paretofarm.phone_health import Recovery


def test_a_new_agent_does_not_end_a_quarantine(database: Database) -> None:
    with database.transaction() as session:
        phone_id = store_phone(session, serial="S1")
        phones.quarantine(session, phone_id, "the reference never runs")
        phones.quarantine(session, phone_id, "said twice")
    with database.transaction() as session:
        assert store_phone(session, serial="S1", address="10.0.0.9:5555") == phone_id
        [phone] = phones.list_phones(session)
        assert (phone.state, phone.state_reason) == (PhoneState.QUARANTINED, "the reference never runs")
        assert phone.quarantined_at is not None
        assert phones.quarantine_reason(session, phone_id) == "the reference never runs"
        kinds = [event.kind for event in events.tail(session)]
        assert kinds.count(events.EventKind.PHONE_QUARANTINED) == 1


def test_an_operator_ends_it(database: Database) -> None:
    with database.transaction() as session:
        phone_id = store_phone(session, serial="S1")
        assert not phones.release(session, "S1")
        phones.quarantine(session, phone_id, "why")
        assert phones.release(session, "S1")
        assert phones.quarantine_reason(session, phone_id) is None
        assert store_phone(session, serial="S1") == phone_id
        assert phones.list_phones(session)[0].state is PhoneState.READY
        with pytest.raises(NotFound, match="no phone with the serial number 'S2'"):
            phones.release(session, "S2")


def test_a_state_has_a_beginning_and_conditions(database: Database) -> None:
    with database.transaction() as session:
        phone_id = store_phone(session)
        phones.set_state(session, phone_id, PhoneState.COOLING, "thermal status 2", {"battery_temperature": 44.0})
        [hot] = phones.list_phones(session)
        phones.set_state(session, phone_id, PhoneState.COOLING, "thermal status 1")
        [less_hot] = phones.list_phones(session)
    assert less_hot.state_since == hot.state_since
    assert less_hot.last_seen_at > hot.last_seen_at
    assert less_hot.conditions == {"battery_temperature": 44.0}


def check(phone_id: int, latency_ms: float | None, *, reason: str | None = None, build: str = "A") -> ReferenceCheck:
    return ReferenceCheck(
        phone_id=phone_id,
        reference_sha256="a" * 64,
        protocol_key="k",
        latency_ms=latency_ms,
        baseline_ms=None,
        output_sha256=None if latency_ms is None else f"output of {build}",
        reason=reason,
        simulated=True,
        conditions={"fingerprint": build},
    )


def test_a_band_rests_on_what_passed_with_this_build_of_android(database: Database) -> None:
    with database.transaction() as session:
        phone_id, other = store_phone(session), store_phone(session)
        for latency in (1.0, 2.0, 3.0):
            reference_checks.store(session, check(phone_id, latency))
        reference_checks.store(session, check(phone_id, 9.0, reason="too slow"))
        reference_checks.store(session, check(phone_id, None, reason="crashed"))
        reference_checks.store(session, check(phone_id, 5.0, build="B"))
        reference_checks.store(session, check(other, 7.0))

        def known(build: str) -> reference_checks.History:
            names = {"reference_sha256": "a" * 64, "protocol_key": "k", "fingerprint": build}
            return reference_checks.history(session, phone_id, **names)

        assert known("A") == reference_checks.History((1.0, 2.0, 3.0), "output of A")
        assert known("B") == reference_checks.History((5.0,), "output of B")
        assert known("C") == reference_checks.History()


def test_how_a_phone_spent_its_time(database: Database) -> None:
    with database.transaction() as session:
        phone_id = store_phone(session)
        ended = [
            EndedWork(WorkKind.MEASUREMENT, "done", 60.0, ended_ago_s=300.0, evaluation_id=7),
            EndedWork(WorkKind.RECOVERY, Recovery.KILL.value, 1.0, ended_ago_s=200.0),
            EndedWork(WorkKind.RECOVERY, Recovery.REBOOT.value, 1.0, ended_ago_s=100.0),
            EndedWork(WorkKind.RECOVERY, phone_work.BOOTED, 90.0, ended_ago_s=10.0),
        ]
        phone_work.store(session, phone_id, ended)
        now = phone_work.now(session)
        work = phone_work.work_since(session, phone_id, now - timedelta(hours=1))
        assert [each.kind for each in work] == ["measurement", "recovery", "recovery", "recovery"]
        assert (work[0].end - work[0].begin).total_seconds() == pytest.approx(60.0, abs=0.1)
        assert (now - work[0].end).total_seconds() == pytest.approx(300.0, abs=1.0)
        steps = phone_work.past_steps(session, phone_id, within_s=3600)
        assert [each.step for each in steps] == [Recovery.KILL, Recovery.REBOOT]
        assert steps[1].age_s == pytest.approx(100.0, abs=1.0)
        assert phone_work.past_steps(session, phone_id, within_s=150)[0].step is Recovery.REBOOT


def compiled_candidate(database: Database, sha256: str) -> int:
    """Id of a candidate of a new search whose network waits to be measured."""
    with database.transaction() as session:
        search = store_experiment(session)
        [candidate_id] = store_candidates(session, search.id)
        steps = [Step(Stage.COMPILE, device="virtual"), Step(Stage.MEASURE, device="virtual")]
        candidates.queue(session, candidate_id, steps)
        query = session.query(EvaluationRow.id).filter_by(candidate_id=candidate_id, stage=Stage.COMPILE)
        claim = claim_first(session, query.scalar())
        report(session, claim, Report(artifacts=[stored(sha256, "network")]))
    return candidate_id


def stored(sha256: str, kind: str) -> StoredArtifact:
    return StoredArtifact(sha256, kind, 1, f"file:///{sha256}")


KINDS = ("network", "trained_network")


def test_what_will_be_measured_next_is_known_and_claimed_by_nobody(database: Database) -> None:
    for sha256 in ("c" * 64, "d" * 64, "e" * 64):
        compiled_candidate(database, sha256)
    with database.transaction() as session:
        planned = upcoming.queued_networks(session, "virtual", *KINDS, limit=2)
        assert [each.artifact.sha256[0] for each in planned] == ["c", "d"]
        assert planned[0].settings.runtime == DOCUMENT["measurement"]["runtime"]
        assert upcoming.queued_networks(session, "sm8550", *KINDS, limit=2) == []
        measures = session.query(EvaluationRow.status).filter_by(stage=Stage.MEASURE)
        assert {status.value for (status,) in measures} == {"queued"}
        newest = upcoming.newest_network(session, "virtual", "network")
        assert newest is not None and newest.artifact.sha256[0] == "e"
        assert upcoming.newest_network(session, "virtual", "reference") is None
        settings = upcoming.newest_settings(session, "virtual")
        assert settings is not None and settings.runtime == "onnxruntime"
        assert upcoming.newest_settings(session, "sm8550") is None


def test_where_a_trained_network_is_to_be_measured_that_one_is_next(database: Database) -> None:
    candidate_id = compiled_candidate(database, "c" * 64)
    with database.transaction() as session:
        first = session.query(EvaluationRow.id).filter_by(candidate_id=candidate_id, stage=Stage.MEASURE).scalar()
        report(session, claim_first(session, first), Report())
        candidates.queue(session, candidate_id, [Step(Stage.COMPILE, "virtual", 0)])
        query = session.query(EvaluationRow.id).filter_by(candidate_id=candidate_id, stage=Stage.COMPILE, rung=0)
        report(session, claim_first(session, query.scalar()), Report(artifacts=[stored("d" * 64, KINDS[1])]))
        assert upcoming.queued_networks(session, "virtual", *KINDS, limit=2) == []
        candidates.queue(session, candidate_id, [Step(Stage.MEASURE, "virtual", 0)])
        [planned] = upcoming.queued_networks(session, "virtual", *KINDS, limit=2)
        assert (planned.artifact.kind, planned.artifact.sha256) == ("trained_network", "d" * 64)
