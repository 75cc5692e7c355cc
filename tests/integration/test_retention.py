"""Artifacts go when nobody needs them, and never before."""

import json
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from factories import claim_first, store_candidates, store_experiment
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from cli.main import main
from db import candidates, leases, reports, retention
from db.artifact_cache import shrink
from db.artifacts import ArtifactStore, StoredArtifact
from db.collection import collect, plan
from db.contents import RETENTION_LOCK
from db.report import Report
from db.retention import Policy, Reason
from db.session import Database
from db.tables import EvaluationRow
from paretofarm.errors import ArtifactMissing, BackupError
from paretofarm.lifecycle import CandidateStatus, Stage, Step, Verdict

AT_ONCE = Policy(timedelta(0), timedelta(0), timedelta(0))
DAY_S = 86400


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore((tmp_path / "artifacts").as_uri())


def make_old(folder: Path, days: float) -> None:
    """Files that were stored so long ago."""
    then = time.time() - days * DAY_S
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))


class Farm:
    """Candidates with artifacts in a store; all of it happened `days` ago."""

    def __init__(self, database: Database, store: ArtifactStore, folder: Path) -> None:
        self.database = database
        self.store = store
        self.folder = folder
        with database.transaction() as session:
            self.search = store_experiment(session, constraints=[])

    def candidate(
        self, contents: dict[str, bytes], *, days: float = 60, finished: bool = True, **metrics: float
    ) -> int:
        """Contents by kind, from one evaluation."""
        with self.database.transaction() as session:
            [candidate_id] = store_candidates(session, self.search.id)
            query = select(EvaluationRow.id).where(EvaluationRow.candidate_id == candidate_id)
            claim = claim_first(session, session.scalars(query).one())
            artifacts = [self.store.put_bytes(content, kind) for kind, content in contents.items()]
            leases.report(session, claim, Report(artifacts=artifacts))
            keyed = {"miou": metrics.get("miou", 0.5), "latency_ms@virtual": metrics.get("latency_ms", 3.0)}
            session.execute(
                text("UPDATE candidates SET metrics = CAST(:metrics AS jsonb) WHERE id = :id"),
                {"metrics": json.dumps(keyed), "id": candidate_id},
            )
            if finished:
                candidates.finish(session, candidate_id, Verdict(CandidateStatus.COMPLETE))
            self._age(session, days)
        make_old(self.folder, days)
        return candidate_id

    def _age(self, session: Any, days: float) -> None:
        for table, column in (("candidates", "finished_at"), ("artifacts", "created_at")):
            age = text(f"UPDATE {table} SET {column} = clock_timestamp() - make_interval(secs => :s)")
            session.execute(age, {"s": days * DAY_S})

    def has(self, content: bytes) -> bool:
        return content in {path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}


@pytest.fixture
def farm(database: Database, store: ArtifactStore, tmp_path: Path) -> Farm:
    farm = Farm(database, store, tmp_path / "artifacts")
    farm.candidate({"onnx": b"best network", "checkpoint": b"best checkpoint"}, miou=0.9, latency_ms=1.0)
    return farm


def test_what_is_off_the_front_goes_and_the_front_stays(farm: Farm, database: Database, store: ArtifactStore) -> None:
    farm.candidate({"onnx": b"network", "checkpoint": b"checkpoint"}, miou=0.1, latency_ms=9.0)
    planned = {(each.kind, each.reason) for each in plan(database, store, Policy())}
    assert planned == {("onnx", Reason.NETWORK), ("checkpoint", Reason.CHECKPOINT)}
    assert farm.has(b"network")
    removed = {(each.kind, each.reason) for each in collect(database, store, Policy())}
    assert removed == planned
    assert [farm.has(content) for content in (b"network", b"checkpoint")] == [False, False]
    assert [farm.has(content) for content in (b"best network", b"best checkpoint")] == [True, True]
    assert plan(database, store, Policy()) == []


def test_checkpoints_go_earlier_than_networks(farm: Farm, database: Database, store: ArtifactStore) -> None:
    farm.candidate({"onnx": b"network", "checkpoint": b"checkpoint"}, days=10, miou=0.1, latency_ms=9.0)
    assert [each.reason for each in collect(database, store, Policy())] == [Reason.CHECKPOINT]


@pytest.mark.parametrize("finished", [True, False])
def test_unfinished_and_exported_candidates_keep_everything(
    farm: Farm, database: Database, store: ArtifactStore, finished: bool
) -> None:
    candidate_id = farm.candidate({"onnx": b"network"}, finished=finished, miou=0.1, latency_ms=9.0)
    if finished:
        with database.transaction() as session:
            mark = text("UPDATE candidates SET exported_at = clock_timestamp() WHERE id = :id")
            session.execute(mark, {"id": candidate_id})
    assert collect(database, store, AT_ONCE) == []


def test_gc_keeps_what_paretofarm_export_wrote_out(
    farm: Farm, database: Database, store: ArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command, not by a mark of the test's own; a candidate that nobody exported goes at the same time."""
    exported = farm.candidate({"onnx": b"exported", "checkpoint": b"its checkpoint"}, miou=0.1, latency_ms=9.0)
    farm.candidate({"onnx": b"not exported"}, miou=0.1, latency_ms=8.0)
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", database.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PARETOFARM_ARTIFACTS", farm.folder.as_uri())
    monkeypatch.setenv("PARETOFARM_CACHE", str(tmp_path / "cache"))
    arguments = ["export", str(exported), "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(main, arguments, catch_exceptions=False).exit_code == 0
    assert (tmp_path / "out" / "network.untrained.onnx").read_bytes() == b"exported"
    assert len(collect(database, store, AT_ONCE)) == 1
    assert [farm.has(content) for content in (b"exported", b"its checkpoint", b"not exported")] == [True, True, False]


def test_what_two_candidates_share_goes_when_neither_needs_it(
    farm: Farm, database: Database, store: ArtifactStore
) -> None:
    farm.candidate({"onnx": b"best network"}, miou=0.1, latency_ms=9.0)
    farm.candidate({"onnx": b"shared by losers"}, miou=0.1, latency_ms=8.0)
    farm.candidate({"onnx": b"shared by losers"}, miou=0.1, latency_ms=7.0)
    assert len(collect(database, store, Policy())) == 1
    assert farm.has(b"best network")


def test_files_that_nobody_knows_go_after_the_grace_time(farm: Farm, database: Database, store: ArtifactStore) -> None:
    store.put_bytes(b"stored, not reported yet", "onnx")
    assert plan(database, store, Policy()) == []
    make_old(farm.folder, days=2)
    assert [each.reason for each in collect(database, store, Policy())] == [Reason.ORPHAN]


def test_a_search_that_was_deleted_leaves_its_artifacts_to_gc(
    farm: Farm, database: Database, store: ArtifactStore
) -> None:
    with database.transaction() as session:
        session.execute(text("DELETE FROM experiments"))
    assert {each.reason for each in collect(database, store, Policy())} == {Reason.UNLINKED}


def test_a_later_read_says_what_happened(farm: Farm, database: Database, store: ArtifactStore) -> None:
    """The candidate is at work again, say after its search was resumed by hand."""
    loser = farm.candidate({"onnx": b"network"}, miou=0.1, latency_ms=9.0)
    collect(database, store, Policy())
    with database.transaction() as session:
        [artifact] = reports.candidate(session, loser).artifacts
        assert artifact.deleted_at is not None
        session.execute(text("UPDATE candidates SET status = 'running' WHERE id = :id"), {"id": loser})
        candidates.queue(session, loser, [Step(Stage.COMPILE, "virtual")])
        query = select(EvaluationRow.id).where(EvaluationRow.stage == Stage.COMPILE)
        claim = claim_first(session, session.scalars(query).one())
    with pytest.raises(ArtifactMissing, match="was removed by `paretofarm gc`"):
        claim.artifact("onnx")


def test_content_that_is_stored_again_is_there_again(farm: Farm, database: Database, store: ArtifactStore) -> None:
    farm.candidate({"onnx": b"network"}, miou=0.1, latency_ms=9.0)
    collect(database, store, Policy())
    again = farm.candidate({"onnx": b"network"}, miou=0.95, latency_ms=9.0)
    with database.transaction() as session:
        [artifact] = reports.candidate(session, again).artifacts
    assert artifact.deleted_at is None
    assert store.fetch(artifact.sha256).read_bytes() == b"network"


def test_what_is_stored_again_while_gc_runs_survives(farm: Farm, database: Database, store: ArtifactStore) -> None:
    """A worker has stored it again, and reports after it has been marked."""
    farm.candidate({"onnx": b"network"}, miou=0.1, latency_ms=9.0)
    stored = store.put_bytes(b"network", "onnx")
    assert collect(database, store, Policy()) == []
    assert store.fetch(stored).read_bytes() == b"network"
    farm.candidate({"onnx": b"network"}, miou=0.95, latency_ms=9.0)
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM artifacts WHERE deleted_at IS NOT NULL")) == 0


def test_gc_that_was_killed_after_marking_is_finished_by_the_next(
    farm: Farm, database: Database, store: ArtifactStore
) -> None:
    farm.candidate({"onnx": b"network"}, miou=0.1, latency_ms=9.0)
    with database.transaction() as session:
        retention.mark(session, Policy())
    assert farm.has(b"network")
    assert [each.reason for each in collect(database, store, Policy())] == [Reason.MARKED]
    assert not farm.has(b"network")


def test_gc_and_backup_exclude_each_other(farm: Farm, database: Database, store: ArtifactStore) -> None:
    with database.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock_shared(:key)"), {"key": RETENTION_LOCK})
        with pytest.raises(BackupError, match="a backup, or another gc"):
            collect(database, store, Policy())


NUMBERS = st.integers(0, 4)
CANDIDATE = st.fixed_dictionaries(
    {
        "miou": NUMBERS,
        "a": NUMBERS,
        "b": NUMBERS,
        "status": st.sampled_from(["complete", "complete", "complete", "failed", "running"]),
        "contents": st.dictionaries(st.sampled_from(["checkpoint", "onnx"]), st.integers(0, 9)),
    }
)


@pytest.fixture
def two_devices(database: Database) -> Iterator[tuple[Database, int]]:
    objectives = [
        {"name": "miou", "goal": "maximize"},
        {"name": "latency_ms", "goal": "minimize", "device": "a"},
        {"name": "latency_ms", "goal": "minimize", "device": "b"},
    ]
    with database.transaction() as session:
        search = store_experiment(session, objectives=objectives, constraints=[])
    yield database, search.id


def candidate(number: int, *objectives: int) -> dict[str, Any]:
    miou, a, b = objectives
    return {"miou": miou, "a": a, "b": b, "status": "complete", "contents": {"onnx": number}}


# The last is on the front of the two latencies only: in accuracy each of the others beats it on one device class.
@example([candidate(0, 4, 0, 4), candidate(1, 4, 4, 0), candidate(2, 0, 1, 1), candidate(3, 0, 4, 4)])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(CANDIDATE, min_size=1, max_size=12))
def test_whatever_gc_removes_every_member_of_every_front_can_still_be_read(
    two_devices: tuple[Database, int], tmp_path: Path, drawn: list[dict[str, Any]]
) -> None:
    """Of any pair of objectives, also across device classes; artifacts are shared at random."""
    database, search_id = two_devices
    store = ArtifactStore((tmp_path / "artifacts").as_uri())
    files = {number: store.put_bytes(f"content {number}".encode(), "any") for number in range(10)}
    fill(database, search_id, drawn, files)
    make_old(tmp_path / "artifacts", days=1)
    collect(database, store, AT_ONCE)
    for member in members_by_brute_force(drawn):
        for number in member["contents"].values():
            assert store.fetch(files[number].sha256).read_bytes() == f"content {number}".encode()
    for each in drawn:
        if each["status"] == "running":
            assert all(store.fetch(files[number].sha256) for number in each["contents"].values())
    used = {number for each in drawn for number in each["contents"].values()}
    assert len(list(store.files())) <= len(used)


def members_by_brute_force(drawn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By the definition, without any of the product's code."""
    complete = [candidate for candidate in drawn if candidate["status"] == "complete"]
    points = [(-each["miou"], each["a"], each["b"]) for each in complete]
    chosen = set()
    for first, second in combinations(range(3), 2):
        for index, point in enumerate(points):
            x, y = point[first], point[second]
            rivals = [(each[first], each[second]) for each in points]
            if not any(p <= x and q <= y and (p < x or q < y) for p, q in rivals):
                chosen.add(index)
    return [complete[index] for index in chosen]


def fill(database: Database, search_id: int, drawn: list[dict[str, Any]], files: dict[int, StoredArtifact]) -> None:
    with database.transaction() as session:
        session.execute(text("DELETE FROM candidates"))
        session.execute(text("DELETE FROM artifacts"))
        for number, candidate_id in enumerate(store_candidates(session, search_id, len(drawn))):
            each = drawn[number]
            keyed = {"miou": each["miou"], "latency_ms@a": each["a"], "latency_ms@b": each["b"]}
            done = text("UPDATE evaluations SET status = 'done' WHERE candidate_id = :id RETURNING id")
            evaluation_id = session.scalars(done, {"id": candidate_id}).one()
            ended = None if each["status"] == "running" else "2020-01-01"
            session.execute(
                text(
                    "UPDATE candidates SET status = :status, finished_at = CAST(:ended AS timestamptz),"
                    " metrics = CAST(:metrics AS jsonb) WHERE id = :id"
                ),
                {"status": each["status"], "ended": ended, "metrics": json.dumps(keyed), "id": candidate_id},
            )
            for kind, content in each["contents"].items():
                link(session, candidate_id, evaluation_id, kind, files[content])


def link(session: Any, candidate_id: int, evaluation_id: int, kind: str, file: StoredArtifact) -> None:
    session.execute(
        text("INSERT INTO artifacts (sha256, kind, size_bytes, uri) VALUES (:s, :k, 1, 'x') ON CONFLICT DO NOTHING"),
        {"s": file.sha256, "k": kind},
    )
    session.execute(
        text("INSERT INTO candidate_artifacts (candidate_id, evaluation_id, sha256, kind) VALUES (:c, :e, :s, :k)"),
        {"c": candidate_id, "e": evaluation_id, "s": file.sha256, "k": kind},
    )


def test_whoever_comes_next_finds_the_lock_free(database: Database, database_url: str) -> None:
    key = {"key": RETENTION_LOCK}
    with database.transaction() as session:
        session.execute(text("SELECT 1"))
        for _ in range(50):
            with retention.retention_lock(database_url):
                pass
            assert session.scalar(text("SELECT pg_try_advisory_lock(:key)"), key)
            session.execute(text("SELECT pg_advisory_unlock(:key)"), key)


def test_the_cache_loses_what_was_used_longest_ago(tmp_path: Path) -> None:
    store = ArtifactStore("memory://cached", cache=tmp_path / "cache")
    stored = [store.put_bytes(bytes([number]) * 100, "x") for number in range(4)]
    for age, each in zip((4, 3, 2), stored, strict=False):
        path = store.fetch(each)
        os.utime(path, (time.time() - age * DAY_S,) * 2)
    store.fetch(stored[3])
    assert [each.sha256 for each in shrink(tmp_path / "cache", 200)] == [stored[0].sha256, stored[1].sha256]
    assert len(shrink(tmp_path / "cache", 0)) == 1, "the one that was used just now stays"


def test_the_command_says_what_it_would_do_and_does_it_when_asked(
    farm: Farm, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm.candidate({"onnx": b"network" * 1000}, miou=0.1, latency_ms=9.0)
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PARETOFARM_ARTIFACTS", farm.folder.as_uri())
    line = "       1     7.0 kB  onnx: network of a finished candidate off the front\n"
    dry = CliRunner().invoke(main, ["gc"])
    assert dry.output == f"{line}would remove 1 artifacts, 7.0 kB; --delete does it\n"
    done = CliRunner().invoke(main, ["gc", "--delete"])
    assert done.output == f"{line}removed 1 artifacts, 7.0 kB\n"
    assert CliRunner().invoke(main, ["gc", "--json"]).output == '{"deleted": false, "artifacts": []}\n'
    assert CliRunner().invoke(main, ["gc", "--grace", "0"]).exit_code == 2
    assert CliRunner().invoke(main, ["gc", "--cache", "much"]).exit_code == 2
