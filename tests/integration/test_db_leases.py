"""Leases on a real Postgres: one owner at a time; whoever comes late or twice writes nothing."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from threading import Barrier

import pytest
from factories import claim_first, make_measurement, store_candidates, store_experiment, store_phone
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import candidates, events, leases
from db.artifact import StoredArtifact
from db.claim import Claim
from db.report import EpochMetrics, Report
from db.session import Database
from db.tables import CandidateRow, EvaluationRow, MeasurementRow, TrainingMetricsRow
from paretofarm.errors import ArtifactMissing, BuildFailed, LeaseLost, PhoneOffline
from paretofarm.lifecycle import MAX_ATTEMPTS, CandidateStatus, EvaluationStatus, Stage, Step, Verdict

ONNX = StoredArtifact("b" * 64, "onnx_fp32", 1234, "file:///artifacts/bb")


@pytest.fixture
def candidate_id(database: Database) -> int:
    """A fresh candidate with a queued build."""
    with database.transaction() as session:
        return store_candidates(session, store_experiment(session).id)[0]


@pytest.fixture
def evaluation_id(database: Database, candidate_id: int) -> int:
    """Its build."""
    return evaluation_of(database, candidate_id, Stage.BUILD)


@pytest.fixture
def claim(database: Database, evaluation_id: int) -> Claim:
    """A lease on it."""
    with database.transaction() as session:
        return claim_first(session, evaluation_id)


def evaluation_of(database: Database, candidate_id: int, stage: Stage) -> int:
    with database.transaction() as session:
        query = select(EvaluationRow.id).where(EvaluationRow.candidate_id == candidate_id, EvaluationRow.stage == stage)
        return session.scalars(query).one()


def state_of(session: Session, evaluation_id: int) -> tuple[EvaluationStatus, int, int]:
    """Status, attempt and failures."""
    query = select(EvaluationRow.status, EvaluationRow.attempt, EvaluationRow.failures)
    return session.execute(query.where(EvaluationRow.id == evaluation_id)).tuples().one()


def expire(database: Database, evaluation_id: int) -> None:
    with database.transaction() as session:
        past = text("UPDATE evaluations SET lease_expires_at = now() - interval '1 s' WHERE id = :id")
        session.execute(past, {"id": evaluation_id})


def take(database: Database, evaluation_id: int, attempt: int = 1, owner: str = "another") -> Claim | None:
    with database.transaction() as session:
        return leases.claim(session, evaluation_id, attempt, owner=owner, lease_s=60)


def test_of_sixteen_claimants_exactly_one_wins(database: Database, evaluation_id: int) -> None:
    barrier = Barrier(16)

    def race(number: int) -> Claim | None:
        barrier.wait()
        return take(database, evaluation_id, owner=f"worker-{number}")

    with ThreadPoolExecutor(16) as pool:
        won = [claim for claim in pool.map(race, range(16)) if claim]
    assert len(won) == 1
    with database.transaction() as session:
        row = session.get_one(EvaluationRow, evaluation_id)
        assert (row.owner, row.token) == (won[0].owner, won[0].token)


def test_claim_carries_what_the_work_needs_and_starts_the_candidate(
    database: Database, candidate_id: int, claim: Claim
) -> None:
    assert claim.step == Step(Stage.BUILD)
    assert (claim.candidate_id, claim.number, claim.attempt, claim.failures) == (candidate_id, 0, 1, 0)
    assert claim.experiment.name == claim.experiment_name
    assert claim.experiment.devices == ("virtual",)
    with database.transaction() as session:
        row = session.get_one(CandidateRow, candidate_id)
        assert (row.status, row.digest) == (CandidateStatus.RUNNING, claim.digest)
        assert row.started_at is not None


def test_message_about_another_attempt_is_stale(database: Database, evaluation_id: int) -> None:
    assert take(database, evaluation_id, attempt=2) is None
    assert take(database, evaluation_id, attempt=1) is not None
    assert take(database, evaluation_id, attempt=1) is None


def test_claim_for_a_device_class_takes_no_other(database: Database, candidate_id: int) -> None:
    with database.transaction() as session:
        candidates.queue(session, candidate_id, [Step(Stage.MEASURE, device="virtual")])
    measure = evaluation_of(database, candidate_id, Stage.MEASURE)
    with database.transaction() as session:
        assert leases.claim(session, measure, 1, owner="agent", lease_s=60, device="sm8550") is None
        assert leases.claim(session, measure, 1, owner="agent", lease_s=60, device="virtual") is not None


def test_report_ends_the_evaluation_and_merges_into_the_candidate(
    database: Database, candidate_id: int, claim: Claim
) -> None:
    with database.transaction() as session:
        report = Report(metrics={"parameters": 1000, "macs": 5e6}, artifacts=[ONNX], details={"layers": [1, 2]})
        leases.report(session, claim, report)
        candidates.queue(session, candidate_id, [Step(Stage.MEASURE, device="virtual")])
        phone_id = store_phone(session)
    measure = evaluation_of(database, candidate_id, Stage.MEASURE)
    with database.transaction() as session:
        measuring = claim_first(session, measure)
        assert measuring.metrics == {"parameters": 1000, "macs": 5e6}
        assert measuring.artifact("onnx_fp32").sha256 == ONNX.sha256
        leases.report(
            session,
            measuring,
            Report(
                metrics={"latency_ms": 3.0},
                intervals={"latency_ms": (2.9, 3.1)},
                measurement=make_measurement(phone_id),
                simulated=True,
            ),
        )
    with database.transaction() as session:
        row = session.get_one(CandidateRow, candidate_id)
        assert row.metrics == {"parameters": 1000, "macs": 5e6, "latency_ms@virtual": 3.0}
        assert row.intervals == {"latency_ms@virtual": [2.9, 3.1]}
        assert row.simulated
        measurement = session.scalars(select(MeasurementRow)).one()
        assert (measurement.evaluation_id, measurement.simulated) == (measure, True)
        assert len(measurement.samples[0]["candidate_ms"]) == 10
        assert session.get_one(EvaluationRow, claim.evaluation_id).details == {"layers": [1, 2]}
        assert state_of(session, measure) == (EvaluationStatus.DONE, 1, 0)


def test_handed_in_result_is_stored_with_its_artifacts(database: Database, claim: Claim) -> None:
    thumbnail = StoredArtifact("a" * 64, "picture", 5, "file:///artifacts/aa")
    leases.hand_in(database, claim, Report(metrics={"parameters": 1}, artifacts=[ONNX, thumbnail]))
    with database.transaction() as session:
        assert session.get_one(CandidateRow, claim.candidate_id).metrics == {"parameters": 1}
        assert state_of(session, claim.evaluation_id) == (EvaluationStatus.DONE, 1, 0)
        linked = text("SELECT sha256, kind, candidate_id FROM candidate_artifacts WHERE evaluation_id = :id ORDER BY 1")
        assert session.execute(linked, {"id": claim.evaluation_id}).tuples().all() == [
            (thumbnail.sha256, "picture", claim.candidate_id),
            (ONNX.sha256, "onnx_fp32", claim.candidate_id),
        ]
    with pytest.raises(LeaseLost):
        leases.hand_in(
            database, claim, Report(metrics={"parameters": 2}, artifacts=[StoredArtifact("c" * 64, "x", 1, "")])
        )
    with database.transaction() as session:
        assert session.get_one(CandidateRow, claim.candidate_id).metrics == {"parameters": 1}
        assert session.scalar(text("SELECT count(*) FROM artifacts")) == 2


def test_handed_in_measurement_is_stored_wholly_or_not_at_all(database: Database, claim: Claim) -> None:
    with database.transaction() as session:
        phone_id = store_phone(session)
    measured = Report(metrics={"parameters": 1}, artifacts=[ONNX], measurement=make_measurement(phone_id + 1))
    with pytest.raises(IntegrityError, match="phone"):
        leases.hand_in(database, claim, measured)
    with database.transaction() as session:
        assert state_of(session, claim.evaluation_id) == (EvaluationStatus.LEASED, 1, 0)
        assert session.scalar(text("SELECT count(*) FROM artifacts")) == 0
    leases.hand_in(database, claim, Report(measurement=make_measurement(phone_id)))
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(MeasurementRow)) == 1


def test_those_who_hand_in_the_same_files_do_not_wait_for_each_other_forever(database: Database) -> None:
    with database.transaction() as session:
        store_candidates(session, store_experiment(session).id, 24)
        builds = session.scalars(select(EvaluationRow.id).order_by(EvaluationRow.id)).all()
    claims = [take(database, evaluation_id) for evaluation_id in builds]
    barrier = Barrier(8)

    def work(number: int) -> None:
        """Eight at a time hand in the same 300 files, every other one in reverse."""
        claim = claims[number]
        assert claim is not None
        names = [f"{number // 8}-{name}" for name in range(300)][:: 1 if number % 2 else -1]
        files = [StoredArtifact(sha256(name.encode()).hexdigest(), name, 1, "file:///x") for name in names]
        barrier.wait()
        leases.hand_in(database, claim, Report(artifacts=files))

    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(work, range(24)))) == 24
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM artifacts")) == 3 * 300
        assert session.scalar(text("SELECT count(*) FROM candidate_artifacts")) == 24 * 300


def test_artifact_that_nobody_produced_is_named(claim: Claim) -> None:
    with pytest.raises(ArtifactMissing, match="candidate 0 has no artifact int8 for virtual"):
        claim.artifact("int8", "virtual")


def test_second_report_is_refused(database: Database, claim: Claim) -> None:
    with database.transaction() as session:
        leases.report(session, claim, Report(metrics={"parameters": 1}))
    with pytest.raises(LeaseLost), database.transaction() as session:
        leases.report(session, claim, Report(metrics={"parameters": 2}))
    with database.transaction() as session:
        assert session.get_one(CandidateRow, claim.candidate_id).metrics == {"parameters": 1}


def test_late_report_is_refused_and_leaves_nothing(database: Database, claim: Claim) -> None:
    expire(database, claim.evaluation_id)
    with database.transaction() as session:
        assert leases.requeue_expired(session) == 1
    with pytest.raises(LeaseLost), database.transaction() as session:
        leases.report(session, claim, Report(metrics={"parameters": 1}, artifacts=[ONNX]))
    with database.transaction() as session:
        assert session.get_one(CandidateRow, claim.candidate_id).metrics == {}
        assert state_of(session, claim.evaluation_id) == (EvaluationStatus.QUEUED, 2, 1)
        assert session.scalar(text("SELECT count(*) FROM artifacts")) == 0


def test_expired_lease_can_be_extended_until_it_is_requeued(database: Database, claim: Claim) -> None:
    expire(database, claim.evaluation_id)
    with database.transaction() as session:
        leases.extend(session, claim, 60, progress=0.5)
    with database.transaction() as session:
        assert leases.requeue_expired(session) == 0
        assert session.get_one(EvaluationRow, claim.evaluation_id).progress == 0.5
    expire(database, claim.evaluation_id)
    with database.transaction() as session:
        leases.requeue_expired(session)
    with pytest.raises(LeaseLost, match="attempt 1"), database.transaction() as session:
        leases.extend(session, claim, 60)


def test_heartbeat_without_progress_keeps_the_last_one(database: Database, claim: Claim) -> None:
    for progress in (0.25, None):
        with database.transaction(durable=False) as session:
            leases.extend(session, claim, 60, progress=progress)
    with database.transaction() as session:
        assert session.get_one(EvaluationRow, claim.evaluation_id).progress == 0.25


def test_unavailable_resource_queues_it_again_later(database: Database, claim: Claim) -> None:
    with database.transaction() as session:
        leases.fail(session, claim, PhoneOffline("gone"))
    with database.transaction() as session:
        row = session.get_one(EvaluationRow, claim.evaluation_id)
        assert (row.status, row.attempt, row.failures) == (EvaluationStatus.QUEUED, 2, 1)
        assert (row.token, row.dispatched_at, row.code, row.reason) == (None, None, "PhoneOffline", "gone")
        assert session.scalar(select(EvaluationRow.not_before > func.now())) is True


def test_last_attempt_fails_for_good(database: Database, evaluation_id: int) -> None:
    for attempt in range(1, MAX_ATTEMPTS + 1):
        claim = take(database, evaluation_id, attempt)
        assert claim is not None and claim.failures == attempt - 1
        with database.transaction() as session:
            leases.fail(session, claim, PhoneOffline("gone"))
    with database.transaction() as session:
        row = session.get_one(EvaluationRow, evaluation_id)
        assert (row.status, row.reason) == (EvaluationStatus.FAILED, "PhoneOffline: gone (5 attempts)")


def test_candidates_own_fault_fails_at_once(database: Database, claim: Claim) -> None:
    with database.transaction() as session:
        leases.fail(session, claim, BuildFailed("no such op"))
    with database.transaction() as session:
        row = session.get_one(EvaluationRow, claim.evaluation_id)
        assert (row.status, row.code) == (EvaluationStatus.FAILED, "BuildFailed")
        assert row.reason == "BuildFailed: no such op"


def test_lost_lease_is_dropped_quietly(database: Database, claim: Claim) -> None:
    with database.transaction() as session:
        leases.fail(session, claim, LeaseLost())
    with database.transaction() as session:
        assert state_of(session, claim.evaluation_id) == (EvaluationStatus.LEASED, 1, 0)


def test_handing_back_makes_old_messages_stale_and_counts_no_failure(database: Database, claim: Claim) -> None:
    with database.transaction() as session:
        leases.hand_back(session, claim)
    with database.transaction() as session:
        assert state_of(session, claim.evaluation_id) == (EvaluationStatus.QUEUED, 2, 0)
    assert take(database, claim.evaluation_id, attempt=1) is None
    assert take(database, claim.evaluation_id, attempt=2) is not None
    with pytest.raises(LeaseLost), database.transaction() as session:
        leases.hand_back(session, claim)


def test_finished_candidate_takes_the_leases_of_its_evaluations(database: Database, claim: Claim) -> None:
    with database.transaction() as session:
        assert candidates.finish(session, claim.candidate_id, Verdict(CandidateStatus.INFEASIBLE, "too big"))
    with pytest.raises(LeaseLost), database.transaction() as session:
        leases.report(session, claim, Report())
    with database.transaction() as session:
        assert state_of(session, claim.evaluation_id)[0] is EvaluationStatus.CANCELLED
        assert not candidates.finish(session, claim.candidate_id, Verdict(CandidateStatus.COMPLETE))


def test_repeated_epoch_replaces_the_earlier_one(database: Database, claim: Claim) -> None:
    for loss in (2.0, 1.5):
        with database.transaction(durable=False) as session:
            leases.record_epoch(session, claim, EpochMetrics(1, train_loss=loss, duration_s=1, metrics={"miou": 0.1}))
    with database.transaction() as session:
        leases.report(session, claim, Report(epochs=[EpochMetrics(2, train_loss=1.0, duration_s=1)]))
    with database.transaction() as session:
        rows = session.scalars(select(TrainingMetricsRow).order_by(TrainingMetricsRow.epoch)).all()
        assert [(row.epoch, row.train_loss, row.metrics) for row in rows] == [(1, 1.5, {"miou": 0.1}), (2, 1.0, {})]
    with pytest.raises(LeaseLost), database.transaction() as session:
        leases.record_epoch(session, claim, EpochMetrics(3, train_loss=1, duration_s=1))


def test_next_attempt_finds_the_checkpoint_of_the_last(database: Database, claim: Claim) -> None:
    for digit in "cd":
        with database.transaction() as session:
            leases.attach(session, claim, [StoredArtifact(digit * 64, "checkpoint", 10, f"file:///{digit}")])
    with database.transaction() as session:
        leases.hand_back(session, claim)
    again = take(database, claim.evaluation_id, attempt=2)
    assert again is not None
    assert [artifact.sha256 for artifact in again.artifacts] == ["d" * 64]


def test_every_step_leaves_an_event(database: Database, claim: Claim) -> None:
    with database.transaction() as session:
        leases.fail(session, claim, PhoneOffline("gone"))
    again = take(database, claim.evaluation_id, attempt=2)
    assert again is not None
    with database.transaction() as session:
        leases.report(session, again, Report())
    with database.transaction() as session:
        happened = events.of_evaluations(session, claim.candidate_id)
        assert [event.kind for event in happened] == [
            "evaluation_queued",
            "evaluation_claimed",
            "evaluation_requeued",
            "evaluation_claimed",
            "evaluation_done",
        ]
        assert happened[2].details == {"owner": "tester", "attempt": 1, "code": "PhoneOffline", "reason": "gone"}
        assert {event.experiment_id for event in happened} == {claim.experiment_id}
