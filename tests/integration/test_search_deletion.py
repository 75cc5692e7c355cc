"""A search is deleted with all that is its own, and nothing that is another's."""

import logging
import os
from pathlib import Path

import pytest
from cli_results import evaluation, store_results
from click.testing import CliRunner, Result
from factories import claim_first, store_candidates, store_experiment
from services import RunningPostgres
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from cli.main import main
from db import experiments, leases, roles
from db.artifact import StoredArtifact
from db.artifacts import ArtifactStore
from db.claim import Claim
from db.report import Report
from db.search_deletion import delete_search
from db.session import Database
from db.tables import ArtifactRow
from db.work import LeaseKeeper, perform
from paretofarm.errors import Conflict, LeaseLost, NotFound, WorkerCrashed
from paretofarm.lifecycle import Stage, Step

BUILD = Step(Stage.BUILD)
HOUR_S = 3600


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore((tmp_path / "store").as_uri())


def stored(store: ArtifactStore, content: bytes, *, age_s: float = HOUR_S) -> StoredArtifact:
    artifact = store.put_bytes(content, "onnx")
    path = store.fetch(artifact)
    before = path.stat().st_mtime - age_s
    os.utime(path, (before, before))
    return artifact


def search_with(session: Session, name: str, *artifacts: StoredArtifact) -> int:
    """A stopped search; each artifact is of a candidate of its own."""
    search = store_experiment(session, name=name)
    for candidate_id, artifact in zip(store_candidates(session, search.id, len(artifacts)), artifacts, strict=True):
        claim = claim_first(session, evaluation(session, candidate_id, BUILD))
        leases.report(session, claim, Report({"parameters": 1.0}, artifacts=[artifact]))
    experiments.stop(session, search.id)
    return search.id


def known(database: Database) -> set[str]:
    with database.transaction() as session:
        return set(session.scalars(select(ArtifactRow.sha256)))


def counts(database: Database, *tables: str) -> list[int]:
    with database.transaction() as session:
        return [session.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in tables]


def test_rows_and_unshared_artifacts_go_and_nothing_of_another_search(database: Database, store: ArtifactStore) -> None:
    own, shared, other = (stored(store, content) for content in (b"own", b"shared", b"other"))
    with database.transaction() as session:
        search_with(session, "mine", own, shared)
        search_with(session, "yours", shared, other)
    deletion = delete_search(database, store, "mine")
    assert (deletion.extent.candidates, deletion.extent.artifacts, deletion.files) == (2, 1, 1)
    assert known(database) == {shared.sha256, other.sha256}
    assert [store.size(each.sha256) for each in (own, shared, other)] == [None, 6, 5]
    assert counts(database, "experiments", "candidates", "evaluations", "candidate_artifacts") == [1, 2, 2, 2]
    with database.transaction() as session:
        kinds = set(session.scalars(text("SELECT kind FROM events WHERE experiment_id = 1")))
    assert kinds >= {"experiment_created", "experiment_deleted"}


def test_everything_that_hangs_on_candidates_goes(database: Database, store: ArtifactStore) -> None:
    results = store_results(database)
    with database.transaction() as session:
        experiments.finish(session, results.search.id)
    delete_search(database, store, str(results.search.id))
    left = ("experiments", "candidates", "points", "evaluations", "measurements", "training_metrics", "artifacts")
    assert counts(database, *left) == [0] * 7
    assert counts(database, "phones") == [1]


def test_a_running_search_is_not_deleted(database: Database, store: ArtifactStore) -> None:
    store_results(database)
    with pytest.raises(Conflict, match="running: stop it first"):
        delete_search(database, store, "faces-demo")
    with pytest.raises(NotFound):
        delete_search(database, store, "nothing")
    assert counts(database, "candidates") == [7]


def test_whoever_works_on_it_loses_the_lease_and_nothing_else(database: Database, store: ArtifactStore) -> None:
    with database.transaction() as session:
        search = store_experiment(session, name="mine")
        [candidate_id] = store_candidates(session, search.id)
        claim = claim_first(session, evaluation(session, candidate_id, BUILD))
        experiments.stop(session, search.id)
    delete_search(database, store, "mine")
    late = Report({"parameters": 1.0}, artifacts=[stored(store, b"late")])
    with pytest.raises(LeaseLost), database.transaction() as session:
        leases.report(session, claim, late)
    assert known(database) == set()


@pytest.mark.parametrize(
    "error",
    [WorkerCrashed("compile: the process ended with exit code 1: Traceback\n  no such file"), FileNotFoundError("x")],
    ids=["in its process", "in the worker"],
)
def test_work_that_fails_since_its_search_is_deleted_is_one_line_in_the_log(
    error: Exception, database: Database, store: ArtifactStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with database.transaction() as session:
        search = store_experiment(session, name="mine")
        [candidate_id] = store_candidates(session, search.id)
        experiments.stop(session, search.id)
        found = evaluation(session, candidate_id, BUILD)

    def work(claim: Claim, keeper: LeaseKeeper) -> Report:
        delete_search(database, store, "mine")
        caplog.clear()
        raise error

    perform(database, found, 1, owner="worker", lease_s=60, work=work)
    assert caplog.text.splitlines() == [caplog.text.rstrip("\n")]
    assert caplog.messages == [
        "build of candidate 0 is dropped: it is somebody else's by now, or its search was deleted"
    ]


def test_a_file_that_somebody_else_may_be_about_to_report_stays(database: Database, store: ArtifactStore) -> None:
    """A worker on another search has just stored the same content."""
    with database.transaction() as session:
        search_with(session, "mine", stored(store, b"network"))
        other = store_experiment(session, name="yours")
        [candidate_id] = store_candidates(session, other.id)
        claim = claim_first(session, evaluation(session, candidate_id, BUILD))
    again = store.put_bytes(b"network", "onnx")
    assert delete_search(database, store, "mine").files == 0
    with database.transaction() as session:
        leases.report(session, claim, Report({"parameters": 1.0}, artifacts=[again]))
    assert known(database) == {again.sha256}
    assert store.size(again.sha256) == 7


def test_the_dashboard_s_role_may_delete_and_others_may_not(
    database: Database, database_url: str, store: ArtifactStore, postgres: RunningPostgres
) -> None:
    with database.transaction() as session:
        search_with(session, "mine", stored(store, b"own"))
        session.execute(text("SET LOCAL ROLE NONE"))
    with database.transaction() as session:
        session.execute(text(f"SET LOCAL ROLE {roles.PREFIX}dashboard"))
        session.execute(text("LOCK TABLE candidate_artifacts IN SHARE ROW EXCLUSIVE MODE"))
        session.execute(text("SELECT sha256 FROM artifacts FOR UPDATE SKIP LOCKED"))
        session.execute(text("DELETE FROM artifacts WHERE false"))
        session.execute(text("DELETE FROM experiments"))
    assert counts(database, "candidates", "points") == [0, 0]


def run(database_url: str, store: Path, *arguments: str, answer: str = "") -> Result:
    environment = {"PARETOFARM_DATABASE_URL": database_url, "PARETOFARM_ARTIFACTS": store.as_uri()}
    return CliRunner().invoke(main, ["search", "delete", *arguments], input=answer, env=environment)


def test_the_command_line_asks_first(
    database: Database, database_url: str, store: ArtifactStore, tmp_path: Path
) -> None:
    with database.transaction() as session:
        search_with(session, "mine", stored(store, b"own"))
    place = tmp_path / "store"
    refused = run(database_url, place, "mine", answer="n\n")
    assert refused.exit_code == 130
    assert "mine: 1 candidate, 1 evaluation, 0 measurements, 1 artifact of its own (3 B)" in refused.stderr
    assert run(database_url, place, "mine").exit_code == 130  # nobody there to answer
    assert counts(database, "experiments") == [1]
    done = run(database_url, place, "mine", "--yes")
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (0, "mine: deleted")
    assert counts(database, "experiments", "artifacts") == [0, 0]
    assert run(database_url, place, "mine", "--yes").exit_code == 2
