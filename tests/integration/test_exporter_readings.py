"""What the exporter reads from a real database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from factories import claim_first, make_measurement, store_candidates, store_experiment, store_phone
from services import RunningPostgres, migrate
from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from db import candidates, experiments, leases, workers
from db.experiments import StoredExperiment
from db.presence import Presence, facts_of_this_process
from db.readings import FarmReadings
from db.readings.events import EventReadings
from db.readings.storage import read_store
from db.report import Report
from db.session import Database
from db.tables import ArtifactRow, CandidateRow, EvaluationRow
from db.workers import WorkerFacts
from paretofarm.errors import BuildFailed, WorkerCrashed
from paretofarm.instrument import Reading
from paretofarm.lifecycle import CandidateStatus, Stage, Verdict

Values = dict[tuple[str, ...], float]


def values(readings: Iterator[Reading] | list[Reading]) -> Values:
    """By name and values of labels, in the order of the definition."""
    return {
        (each.instrument.name, *(each.labels[label] for label in each.instrument.labels)): each.value
        for each in readings
    }


@pytest.fixture
def farm(database: Database, tmp_path: Path) -> FarmReadings:
    return FarmReadings(database, artifacts=tmp_path.as_uri(), broker_answers=lambda: True)


@pytest.fixture
def search(database: Database) -> StoredExperiment:
    with database.transaction() as session:
        search = store_experiment(session, name="faces")
        store_candidates(session, search.id, 3)
    return search


def evaluations(database: Database) -> list[int]:
    with database.transaction() as session:
        return list(session.scalars(select(EvaluationRow.id).order_by(EvaluationRow.id)))


def complete(session: Session, candidate_id: int, *, miou: float, latency_ms: float) -> None:
    """As if all its evaluations had been done."""
    metrics = {"parameters": 1000, "miou": miou, "latency_ms@virtual": latency_ms}
    session.execute(update(CandidateRow).where(CandidateRow.id == candidate_id).values(metrics=metrics))
    candidates.finish(session, candidate_id, Verdict(CandidateStatus.COMPLETE))


def test_an_empty_database_is_read_as_zeros(farm: FarmReadings) -> None:
    found = values(farm.read())
    assert found["database_up",] == found["broker_up",] == 1
    assert found["leases_expired_total",] == found["searches", "running"] == found["workers", "worker", "idle"] == 0


def test_evaluations_are_counted_with_zeros_for_what_there_is_none_of(
    farm: FarmReadings, search: StoredExperiment, database: Database
) -> None:
    first, second, _ = evaluations(database)
    with database.transaction() as session:
        claim_first(session, first)
        leases.fail(session, claim_first(session, second), BuildFailed("no"))
    found = values(farm.read())
    numbers = {
        status: found["evaluations", "build", status, "build"] for status in ("queued", "leased", "failed", "done")
    }
    assert numbers == {"queued": 1, "leased": 1, "failed": 1, "done": 0}
    assert found["evaluations_failed", "build", "BuildFailed"] == 1


def test_the_oldest_of_a_queue_counts_from_when_it_was_due(
    farm: FarmReadings, search: StoredExperiment, database: Database
) -> None:
    first, second, third = evaluations(database)
    with database.transaction() as session:
        ago = text(
            "UPDATE evaluations SET created_at = now() - :ago * interval '1 s', "
            "not_before = now() - :due * interval '1 s' WHERE id = :id"
        )
        session.execute(ago, {"id": first, "ago": 1000, "due": 100})
        session.execute(ago, {"id": second, "ago": 1000, "due": -100})
        claim_first(session, third)
    assert values(farm.read())["queue_oldest_seconds", "build"] == pytest.approx(100, abs=20)


def test_a_queue_with_nothing_waiting_has_no_age(
    farm: FarmReadings, search: StoredExperiment, database: Database
) -> None:
    with database.transaction() as session:
        for evaluation in evaluations(database):
            claim_first(session, evaluation)
    assert values(farm.read())["queue_oldest_seconds", "build"] == 0


def test_a_search_is_told_with_its_front_and_its_best(
    farm: FarmReadings, search: StoredExperiment, database: Database
) -> None:
    with database.transaction() as session:
        for number, identifier in enumerate(session.scalars(select(CandidateRow.id).order_by(CandidateRow.id)).all()):
            complete(session, identifier, miou=0.5 + number / 10, latency_ms=3 + number)
    found = values(farm.read())
    assert found["candidates", "faces", "complete"] == found["search_front_size", "faces"] == 3
    assert found["search_best", "faces", "miou", ""] == 0.7
    assert found["search_best", "faces", "latency_ms", "virtual"] == 3
    assert found["search_target_candidates", "faces"] == 24
    assert found["search_halted", "faces"] == 0


def test_the_hypervolume_is_that_of_the_progress_line(farm: FarmReadings, database: Database) -> None:
    with database.transaction() as session:
        search = store_experiment(session, name="volume")
        ids = store_candidates(session, search.id, 9)
        for number in range(8):
            complete(session, ids[number], miou=0.1 + number / 100, latency_ms=10 + number)
    assert values(farm.read())["search_hypervolume_ratio", "volume"] == 1
    with database.transaction() as session:
        complete(session, ids[8], miou=0.5, latency_ms=5)
    assert values(farm.read())["search_hypervolume_ratio", "volume"] > 2


def test_a_search_that_was_stopped_for_a_reason_is_halted_and_one_stopped_by_its_user_is_not(
    farm: FarmReadings, database: Database
) -> None:
    with database.transaction() as session:
        experiments.stop(session, store_experiment(session, name="broken").id, reason="no data")
        experiments.stop(session, store_experiment(session, name="paused").id)
    found = values(farm.read())
    assert (found["search_halted", "broken"], found["search_halted", "paused"]) == (1, 0)


def test_a_finished_search_keeps_its_numbers(farm: FarmReadings, search: StoredExperiment, database: Database) -> None:
    with database.transaction() as session:
        experiments.finish(session, search.id)
    for _ in range(2):
        assert values(farm.read())["search_front_size", "faces"] == 0


def test_a_phone_at_work_is_busy_however_long_its_agent_says_nothing(
    farm: FarmReadings, search: StoredExperiment, database: Database
) -> None:
    with database.transaction() as session:
        store_phone(session)
        silent = text("UPDATE phones SET last_seen_at = now() - interval '5 minutes'")
        session.execute(silent)
    assert values(farm.read())["phones", "virtual", "lost"] == 1
    with database.transaction() as session:
        claim_first(session, evaluations(database)[0], owner="tester")
    found = values(farm.read())
    assert (found["phones", "virtual", "busy"], found["phones", "virtual", "lost"]) == (1, 0)


def test_processes_are_idle_busy_or_lost_and_those_that_ended_are_gone(
    farm: FarmReadings, search: StoredExperiment, database: Database
) -> None:
    with database.transaction() as session:
        for name in ("idle", "busy", "lost", "ended"):
            workers.register(session, WorkerFacts(name, "worker", "here", 1, ("build",), "test"))
        claim_first(session, evaluations(database)[0], owner="busy")
        session.execute(text("UPDATE workers SET heartbeat_at = now() - interval '2 minutes' WHERE name = 'lost'"))
        workers.retire(session, "ended")
    found = values(farm.read())
    assert [found["workers", "worker", state] for state in ("idle", "busy", "lost")] == [1, 1, 1]


def test_a_process_is_there_for_as_long_as_it_says_so(farm: FarmReadings, database: Database) -> None:
    with Presence(database, facts_of_this_process("me", "scheduler")) as presence:
        presence.registered.wait(10)
        assert values(farm.read())["workers", "scheduler", "idle"] == 1
    assert values(farm.read())["workers", "scheduler", "idle"] == 0


def test_events_are_counted_once_young_and_old(database: Database, search: StoredExperiment) -> None:
    readings = EventReadings()

    def counted() -> Values:
        with database.transaction() as session:
            return values(readings.read(session))

    assert counted()["events_total", "candidate_proposed"] == 3
    with database.transaction() as session:
        session.execute(text("ALTER TABLE events DISABLE TRIGGER USER"))
        session.execute(text("UPDATE events SET at = at - interval '1 hour'"))
    assert counted()["events_total", "candidate_proposed"] == 3
    with database.transaction() as session:
        store_candidates(session, search.id, 2)
        leases.fail(session, claim_first(session, evaluations(database)[0]), WorkerCrashed("oh"))
    for _ in range(2):
        found = counted()
        assert found["events_total", "candidate_proposed"] == 5
        assert found["attempt_failures_total", "WorkerCrashed"] == 1


def test_expired_leases_are_counted(farm: FarmReadings, search: StoredExperiment, database: Database) -> None:
    with database.transaction() as session:
        claim_first(session, evaluations(database)[0])
        session.execute(
            text("UPDATE evaluations SET lease_expires_at = now() - interval '1 minute' WHERE status = 'leased'")
        )
    assert values(farm.read())["lease_overdue_seconds",] == pytest.approx(60, abs=20)
    with database.transaction() as session:
        leases.requeue_expired(session)
    found = values(farm.read())
    assert (found["leases_expired_total",], found["attempt_failures_total", "LeaseExpired"]) == (1, 1)
    assert found["lease_overdue_seconds",] == 0


def test_artifacts_and_disks_have_sizes(farm: FarmReadings, database: Database) -> None:
    with database.transaction() as session:
        rows = [{"sha256": digit * 64, "kind": "onnx", "size_bytes": 100, "uri": "file:///x"} for digit in "ab"]
        session.execute(insert(ArtifactRow), rows)
    found = values(farm.read())
    assert (found["artifacts", "onnx"], found["artifacts_size_bytes", "onnx"]) == (2, 200)
    assert found["database_size_bytes",] > 1e6
    assert 0 < found["artifact_store_free_bytes",] <= found["artifact_store_size_bytes",]


def test_a_store_elsewhere_has_no_disk_of_ours() -> None:
    assert list(read_store("s3://bucket/prefix")) == []


def test_a_store_that_is_not_there_yet_is_on_the_disk_of_the_folder_above(tmp_path: Path) -> None:
    assert [reading.instrument.name for reading in read_store((tmp_path / "later").as_uri())] != []


def test_the_reader_may_read_all_of_it(
    database_url: str, database: Database, search: StoredExperiment, tmp_path: Path
) -> None:
    with database.transaction() as session:
        phone = store_phone(session)
        claim = claim_first(session, evaluations(database)[0])
        leases.report(session, claim, Report(measurement=make_measurement(phone)))
        session.execute(text("DROP ROLE IF EXISTS metrics_test"))
        session.execute(text("CREATE ROLE metrics_test LOGIN IN ROLE paretofarm_reader"))
    url = database.url.set(username="metrics_test").render_as_string(hide_password=False)
    reading = Database(url)
    everything = values(FarmReadings(database, artifacts=tmp_path.as_uri(), broker_answers=lambda: True).read())
    readable = values(FarmReadings(reading, artifacts=tmp_path.as_uri(), broker_answers=lambda: True).read())
    reading.dispose()
    assert readable.keys() == everything.keys()


def test_a_database_that_is_away_is_told_and_nothing_else_breaks(
    restartable_postgres: RunningPostgres, tmp_path: Path
) -> None:
    url = restartable_postgres.create_database("farm")
    migrate(url)
    database = Database(url)
    farm = FarmReadings(database, artifacts=tmp_path.as_uri(), broker_answers=lambda: False)
    assert values(farm.read())["database_up",] == 1
    restartable_postgres.kill()
    found = values(farm.read())
    assert (found["database_up",], found["broker_up",]) == (0, 0)
    restartable_postgres.start()
    assert values(farm.read())["database_up",] == 1
    database.dispose()


def test_stages_have_their_own_names() -> None:
    """Alerts and dashboards name them."""
    assert [stage.value for stage in Stage] == ["build", "compile", "measure", "train", "score"]
