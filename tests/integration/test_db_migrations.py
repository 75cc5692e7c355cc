"""The migrated schema is the one the code believes in; roles may do what their service does and no more."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from factories import claim_first, make_measurement, store_candidates, store_experiment, store_phone
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from db import candidates, dispatch, experiments, leases, migrate, roles, workers
from db.artifact import StoredArtifact
from db.report import EpochMetrics, Report
from db.session import Database
from db.tables import Base, EvaluationRow
from db.workers import WorkerFacts
from paretofarm.errors import DatabaseRefused, PhoneOffline
from paretofarm.lifecycle import CandidateStatus, Stage, Step, Verdict

VERSIONS = Path(migrate.__file__).parent / "migrations" / "versions"


def test_tables_in_code_are_the_tables_in_the_database(database_url: str) -> None:
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True, "compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_views_file_is_what_the_newest_migration_with_views_runs() -> None:
    newest = max(VERSIONS.glob("v*_views.sql"))
    assert newest.read_text() == (VERSIONS.parent.parent / "views.sql").read_text()


def test_upgrade_and_downgrade_leave_nothing_behind(empty_database_url: str) -> None:
    assert migrate.current(empty_database_url) is None
    migrate.upgrade(empty_database_url)
    migrate.upgrade(empty_database_url)
    assert migrate.is_current(empty_database_url)
    migrate.downgrade(empty_database_url, "base")
    assert not migrate.is_current(empty_database_url)
    inspector = inspect(create_engine(empty_database_url, poolclass=NullPool))
    assert inspector.get_table_names() == ["alembic_version"]
    assert inspector.get_view_names() == []
    migrate.upgrade(empty_database_url)


def test_processes_that_start_together_migrate_once(empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate.upgrade, [empty_database_url] * 4))
    assert migrate.is_current(empty_database_url)


def test_events_are_append_only(database: Database) -> None:
    with database.transaction() as session:
        store_experiment(session)
    for statement in ("UPDATE events SET kind = 'nothing'", "DELETE FROM events"):
        with pytest.raises(DBAPIError, match="append-only"), database.transaction() as session:
            session.execute(text(statement))


def test_deleting_a_search_takes_everything_of_it_but_its_events(database: Database) -> None:
    with database.transaction() as session:
        search = store_experiment(session)
        store_candidates(session, search.id, 2)
        session.execute(text("DELETE FROM experiments"))
        assert session.scalar(text("SELECT count(*) FROM evaluations")) == 0
        assert session.scalar(text("SELECT count(*) FROM events")) == 5


@contextmanager
def acting_as(database: Database, role: str) -> Iterator[Session]:
    with database.transaction() as session:
        session.execute(text(f"SET LOCAL ROLE {roles.PREFIX}{role}"))
        yield session


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO events (kind) VALUES ('x')",
        "UPDATE candidates SET status = 'complete'",
        "DELETE FROM experiments",
        "CREATE TABLE mine (id int)",
    ],
)
def test_reader_reads_everything_and_writes_nothing(database: Database, statement: str) -> None:
    with database.transaction() as session:
        store_candidates(session, store_experiment(session).id, 1)
    with acting_as(database, "reader") as session:
        assert session.scalar(text("SELECT count(*) FROM candidate_metrics")) == 1
        assert session.scalar(text("SELECT count(*) FROM pareto_front")) == 0
    with pytest.raises(DatabaseRefused, match="permission denied"), acting_as(database, "reader") as session:
        session.execute(text(statement))


@pytest.mark.parametrize("role", ["agent", "worker"])
def test_who_works_does_not_plan(database: Database, role: str) -> None:
    with database.transaction() as session:
        search = store_experiment(session)
    with pytest.raises(DatabaseRefused, match="permission denied"), acting_as(database, role) as session:
        store_candidates(session, search.id)
    with pytest.raises(DatabaseRefused, match="permission denied"), acting_as(database, role) as session:
        session.execute(text("UPDATE candidates SET reason = 'because'"))


def test_each_role_can_do_its_work(database: Database) -> None:
    """A small search in which everybody acts under their own role."""
    measure = Step(Stage.MEASURE, device="virtual")
    with acting_as(database, "scheduler") as session:
        search = store_experiment(session)
        [candidate_id] = store_candidates(session, search.id)
        workers.register(session, WorkerFacts("scheduler", "scheduler", "here", 1, (), "test"))
        [message] = dispatch.due(session, limit=10, resend_s=60)
    with acting_as(database, "worker") as session:
        workers.register(session, WorkerFacts("worker", "worker", "here", 2, ("build",), "test"))
        claim = claim_first(session, message.evaluation_id)
        leases.extend(session, claim, 60, progress=0.5)
        leases.record_epoch(session, claim, EpochMetrics(1, train_loss=1, duration_s=1))
        artifact = StoredArtifact("c" * 64, "onnx_fp32", 1, "file:///c")
        leases.report(session, claim, Report(metrics={"parameters": 1}, artifacts=[artifact]))
    with acting_as(database, "scheduler") as session:
        candidates.queue(session, candidate_id, [measure])
    with acting_as(database, "agent") as session:
        phone_id = store_phone(session)
        evaluation_id = session.scalars(select(EvaluationRow.id).where(EvaluationRow.stage == Stage.MEASURE)).one()
        leases.fail(session, claim_first(session, evaluation_id), PhoneOffline())
        claim_again = leases.claim(session, evaluation_id, 2, owner="agent", lease_s=60)
        assert claim_again is not None
        leases.report(session, claim_again, Report(measurement=make_measurement(phone_id), simulated=True))
    with acting_as(database, "scheduler") as session:
        leases.requeue_expired(session)
        candidates.finish(session, candidate_id, Verdict(CandidateStatus.COMPLETE))
        experiments.finish(session, search.id)


def test_roles_can_be_granted_again(database: Database, database_url: str) -> None:
    roles.grant(database_url)
    with acting_as(database, "reader") as session:
        assert session.scalar(text("SELECT count(*) FROM experiments")) == 0


def test_user_who_may_not_create_roles_migrates_without(
    database: Database, empty_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with database.transaction() as session:
        session.execute(text("DROP ROLE IF EXISTS humble"))
        session.execute(text("CREATE ROLE humble LOGIN"))
    with create_engine(empty_database_url, poolclass=NullPool).begin() as connection:
        connection.execute(text("GRANT CREATE ON SCHEMA public TO humble"))
    humble = create_engine(empty_database_url).url.set(username="humble").render_as_string(hide_password=False)
    migrate.upgrade(humble)
    assert migrate.is_current(humble)
    assert "may not create roles" in caplog.text
