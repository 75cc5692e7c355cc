"""A backup is whole or absent, of one moment, and comes back as it was."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cli_results import store_results
from click.testing import CliRunner
from factories import claim_first, store_candidates, store_experiment
from services import RunningBroker
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.pool import NullPool
from test_scheduler import Farm

from cli.backup.folder import DUMP, BackupFolder
from cli.backup.make import back_up
from cli.backup.manifest import MANIFEST
from cli.backup.programs import find_programs
from cli.backup.restore import restore
from cli.main import main
from cli.stack.broker import DATABASES
from db import experiments, leases, migrate
from db.artifacts import ArtifactStore
from db.contents import RETENTION_LOCK
from db.experiments import ExperimentStatus
from db.report import Report
from db.session import Database
from db.tables import CandidateRow, EvaluationRow
from paretofarm.errors import BackupError
from paretofarm.lifecycle import EvaluationStatus


def quiet(done: int, total: int) -> None:
    """Nobody watches."""


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore((tmp_path / "artifacts").as_uri())


@pytest.fixture
def elsewhere(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore((tmp_path / "elsewhere").as_uri())


@pytest.fixture
def folder(tmp_path: Path) -> BackupFolder:
    return BackupFolder(tmp_path / "backups")


@pytest.fixture
def filled(database: Database, store: ArtifactStore) -> Database:
    """A search with results, and three candidates at work whose builds have left networks behind."""
    store_results(database)
    with database.transaction() as session:
        session.execute(text("DELETE FROM candidate_artifacts"))
        session.execute(text("DELETE FROM artifacts"))
        search = store_experiment(session, name="running")
        for number, candidate_id in enumerate(store_candidates(session, search.id, 3)):
            evaluation_id = session.scalars(
                select(EvaluationRow.id).where(EvaluationRow.candidate_id == candidate_id)
            ).one()
            claim = claim_first(session, evaluation_id)
            network = store.put_bytes(f"network {number}".encode() * 1000, "onnx")
            if number:
                leases.report(session, claim, Report(metrics={"parameters": 1.0}, artifacts=[network]))
    return database


def url_of(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


def make(database: Database, store: ArtifactStore, folder: BackupFolder, **options: bool) -> Path:
    return back_up(url_of(database), store, folder, os.environ, progress=quiet, **options).folder


def put_back(folder: BackupFolder, url: str, store: ArtifactStore, **options: bool) -> None:
    restore(folder.find(), url, store, os.environ, progress=quiet, **options)


@pytest.fixture
def contents(empty_database_url: str) -> Iterator[Database]:
    database = Database(empty_database_url)
    yield database
    database.dispose()


def rows(database: Database) -> dict[str, list[str]]:
    """Everything, as text; where artifacts are may differ."""
    with database.transaction() as session:
        tables = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")).all()
        query = "SELECT (to_jsonb(t) - 'uri')::text FROM {} AS t ORDER BY 1"
        return {table: list(session.scalars(text(query.format(table)))) for table in tables}


def test_everything_comes_back_with_its_artifacts_and_views(
    filled: Database, store: ArtifactStore, elsewhere: ArtifactStore, folder: BackupFolder, contents: Database
) -> None:
    before = rows(filled)
    make(filled, store, folder)
    put_back(folder, url_of(contents), elsewhere)
    assert rows(contents) == before
    with contents.transaction() as session:
        artifacts = session.execute(text("SELECT sha256, uri FROM artifacts")).all()
        assert session.scalar(text("SELECT count(*) FROM pareto_front")) == 3
    assert len(artifacts) == 2
    for sha256, uri in artifacts:
        assert uri == elsewhere.fetch(sha256).as_uri()


def test_roles_may_do_after_a_restore_what_they_might_before(
    filled: Database, store: ArtifactStore, folder: BackupFolder, contents: Database
) -> None:
    make(filled, store, folder)
    put_back(folder, url_of(contents), store)
    with contents.transaction() as session:
        session.execute(text("SET LOCAL ROLE paretofarm_worker"))
        session.execute(text("UPDATE evaluations SET progress = 0.5"))


def test_second_backup_copies_only_what_is_new(filled: Database, store: ArtifactStore, folder: BackupFolder) -> None:
    make(filled, store, folder)
    copies = {path: path.stat().st_mtime_ns for path in folder.artifacts.root.rglob("*") if path.is_file()}
    make(filled, store, folder)
    assert {path: path.stat().st_mtime_ns for path in copies} == copies
    assert len(list(folder.root.glob(f"*/{MANIFEST}"))) == 2


def test_a_copy_that_has_been_damaged_is_made_again_where_one_asks(
    filled: Database, store: ArtifactStore, folder: BackupFolder, contents: Database
) -> None:
    make(filled, store, folder)
    copy = next(path for path in folder.artifacts.root.rglob("*") if path.is_file())
    whole = copy.read_bytes()
    copy.write_bytes(b"N" + whole[1:])
    with pytest.raises(BackupError, match=f"{copy} is damaged"):
        put_back(folder, url_of(contents), store)
    assert migrate.current(url_of(contents)) is None
    make(filled, store, folder, verify=True)
    assert copy.read_bytes() == whole


def test_a_database_with_work_in_it_is_not_overwritten_unasked(
    filled: Database, store: ArtifactStore, folder: BackupFolder
) -> None:
    make(filled, store, folder)
    before = rows(filled)
    filled.dispose()
    with pytest.raises(BackupError, match=r"not empty \(.*10 candidates.*--replace deletes"):
        put_back(folder, url_of(filled), store)
    with filled.transaction() as session:
        session.execute(text("DELETE FROM experiments WHERE name = 'running'"))
    filled.dispose()
    put_back(folder, url_of(filled), store, replace=True)
    assert rows(filled) == before


def test_a_database_in_use_is_left_alone(
    filled: Database, store: ArtifactStore, folder: BackupFolder, contents: Database
) -> None:
    make(filled, store, folder)
    with contents.transaction() as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(BackupError, match="others are connected"):
            put_back(folder, url_of(contents), store)


def test_what_happens_during_a_backup_is_not_in_it(
    filled: Database, store: ArtifactStore, folder: BackupFolder, contents: Database
) -> None:
    """Candidates are added all the while: rows, events and queued evaluations fit together nevertheless."""
    stop = threading.Event()

    def add() -> None:
        while not stop.is_set():
            with filled.transaction() as session:
                store_candidates(session, 1, 5)

    thread = threading.Thread(target=add)
    thread.start()
    try:
        made = make(filled, store, folder)
    finally:
        stop.set()
        thread.join()
    put_back(folder, url_of(contents), store)
    counts = json.loads((made / MANIFEST).read_text())["tables"]
    with contents.transaction() as session:
        assert session.scalar(select(func.count()).select_from(CandidateRow)) == counts["candidates"]
        proposed = session.scalar(text("SELECT count(*) FROM events WHERE kind = 'candidate_proposed'"))
        assert proposed == counts["candidates"]


def test_an_unfinished_backup_is_none(filled: Database, store: ArtifactStore, folder: BackupFolder) -> None:
    made = make(filled, store, folder)
    newer = made.with_name("29991231T000000Z")
    newer.mkdir()
    (newer / DUMP).write_bytes((made / DUMP).read_bytes())
    (folder.root / ".partial-1").mkdir()
    assert folder.find().folder == made
    with pytest.raises(BackupError, match="not a backup, or an unfinished one"):
        folder.find(newer.name)
    make(filled, store, folder)
    assert not (folder.root / ".partial-1").exists()


def test_a_damaged_dump_is_seen_before_anything_is_touched(
    filled: Database, store: ArtifactStore, folder: BackupFolder, contents: Database
) -> None:
    made = make(filled, store, folder)
    (made / DUMP).write_bytes((made / DUMP).read_bytes()[:-100])
    with pytest.raises(BackupError, match=r"database\.dump is damaged"):
        put_back(folder, url_of(contents), store)
    assert migrate.current(url_of(contents)) is None


def test_lost_artifacts_are_named(
    filled: Database, store: ArtifactStore, elsewhere: ArtifactStore, folder: BackupFolder
) -> None:
    with pytest.raises(BackupError, match="--skip-missing"):
        make(filled, elsewhere, folder)
    with pytest.raises(BackupError, match="no backup in it"):
        folder.find()
    make(filled, elsewhere, folder, skip_missing=True)
    assert len(folder.find().manifest.missing) == 2


def test_backup_waits_for_nobody_who_removes_artifacts(
    filled: Database, store: ArtifactStore, folder: BackupFolder
) -> None:
    with create_engine(url_of(filled), poolclass=NullPool).connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": RETENTION_LOCK})
        with pytest.raises(BackupError, match="gc --delete` is at work"):
            make(filled, store, folder)


def test_backup_of_an_earlier_version_is_migrated(
    empty_database_url: str, store: ArtifactStore, folder: BackupFolder, database: Database
) -> None:
    migrate.upgrade(empty_database_url, "0001")
    back_up(empty_database_url, store, folder, os.environ, progress=quiet)
    database.dispose()
    put_back(folder, url_of(database), store)
    assert migrate.is_current(url_of(database))


def test_programs_of_another_version_are_refused_in_one_line() -> None:
    with pytest.raises(BackupError, match=r"PostgreSQL 99 and needs pg_dump and pg_restore 99; found: .*\(18\)"):
        find_programs(os.environ, 99)


def test_one_command_each(
    filled: Database, tmp_path: Path, contents: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the environment's settings, as one file."""
    runner = CliRunner()
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", url_of(filled))
    monkeypatch.setenv("PARETOFARM_ARTIFACTS", (tmp_path / "artifacts").as_uri())
    made = runner.invoke(main, ["backup", str(tmp_path / "farm.tar")])
    assert made.exit_code == 0, made.output
    assert "backed up: " in made.output
    assert ", 2 artifacts (" in made.output
    again = runner.invoke(main, ["backup", str(tmp_path / "farm.tar")])
    assert (again.exit_code, again.output) == (1, f"paretofarm: {tmp_path / 'farm.tar'} exists: choose another name\n")
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", url_of(contents))
    monkeypatch.setenv("PARETOFARM_ARTIFACTS", (tmp_path / "elsewhere").as_uri())
    restored = runner.invoke(main, ["restore", str(tmp_path / "farm.tar")])
    assert restored.exit_code == 0, restored.output
    assert rows(contents) == rows(filled)
    assert not list(tmp_path.glob(".farm*"))


def test_a_search_that_was_running_goes_on_to_its_end(
    database_url: str,
    broker_url: str,
    empty_database_url: str,
    store: ArtifactStore,
    folder: BackupFolder,
    database_numbers: Iterator[int],
    broker: RunningBroker,
) -> None:
    """What was leased to workers that are no more is sent again once its lease has expired; the broker is a new one."""
    with closing(Farm(database_url, broker_url)) as before:
        before.scheduler.tick()
        before.work()
        before.scheduler.tick()
        with before.database.transaction() as session:
            query = select(EvaluationRow).where(EvaluationRow.status == EvaluationStatus.QUEUED)
            for row in session.scalars(query).all()[:2]:
                leases.claim(session, row.id, row.attempt, owner="lost with its host", lease_s=1e-3)
        back_up(database_url, store, folder, os.environ, progress=quiet)
    put_back(folder, empty_database_url, store)
    new_broker = broker.url(next(database_numbers) % DATABASES)
    with closing(Farm(empty_database_url, new_broker, name="another", stop={"candidates": 1})) as after:
        after.run_to_the_end()
        with after.database.transaction() as session:
            ended = {search.name: search.status for search in experiments.list_experiments(session)}
            requeued = session.scalar(text("SELECT count(*) FROM events WHERE details ->> 'code' = 'LeaseExpired'"))
    assert ended == {"demo": ExperimentStatus.FINISHED, "another": ExperimentStatus.FINISHED}
    assert requeued == 2
