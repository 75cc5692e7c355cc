"""Records every statement that this version's code sends during one small search, for test_rolling_upgrade.py.

Before a migration is added, NNNN being the revision that is the newest until then:
python tests/tools/record_statements.py tests/integration/released/NNNN.jsonl
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from factories import make_measurement, store_candidates, store_experiment, store_phone
from services import running_postgres
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from db import candidates, dispatch, experiments, leases, migrate, phones, reports, workers
from db.artifact import StoredArtifact
from db.claim import Claim
from db.report import EpochMetrics, Report
from db.session import Database
from db.tables import EvaluationRow
from db.workers import WorkerFacts
from paretofarm.errors import PhoneOffline
from paretofarm.lifecycle import CandidateStatus, Stage, Step, Verdict

OF_SQLALCHEMY = ("SET LOCAL ROLE", "select pg_catalog", "show ", "SELECT pg_catalog.version")


class Recorder:
    """A database that writes down what it is asked. Statements are kept as they are sent, comments included."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.lines: list[dict[str, Any]] = []
        self._role = ""
        event.listen(database.engine, "after_cursor_execute", self._record)

    @contextmanager
    def acting_as(self, role: str) -> Iterator[Session]:
        self._role = role
        with self.database.transaction() as session:
            session.execute(text(f"SET LOCAL ROLE paretofarm_{role}"))
            yield session

    def claim(self, role: str, stage: Stage, attempt: int = 1) -> Claim:
        with self.acting_as(role) as session:
            query = select(EvaluationRow.id).where(EvaluationRow.stage == stage).order_by(EvaluationRow.id)
            evaluation_id = session.scalars(query).first()
            assert evaluation_id is not None
            claim = leases.claim(session, evaluation_id, attempt, owner=role, lease_s=60)
        assert claim is not None
        return claim

    def _record(self, connection: Any, cursor: Any, statement: str, *_: object) -> None:
        sql = cursor.query.decode().strip()
        line = {"role": self._role, "sql": sql, "rows": cursor.rowcount}
        # Connections of a pool prepare the same statement each; the replay has one connection.
        again = sql.startswith("PREPARE") and any(sql == other["sql"] for other in self.lines)
        if not again and not sql.startswith(OF_SQLALCHEMY):
            self.lines.append(line)


def record(url: str) -> list[dict[str, Any]]:
    """One candidate from its proposal to the front, as each service does its part."""
    recorder = Recorder(Database(url))
    with recorder.acting_as("scheduler") as session:
        search = store_experiment(session, name="rolling")
        [candidate_id] = store_candidates(session, search.id)
        workers.register(session, WorkerFacts("scheduler", "scheduler", "here", 1, (), "test"))
        dispatch.due(session, limit=10, resend_s=60)
        dispatch.overdue_queues(session, resend_s=60)
    _build(recorder)
    with recorder.acting_as("scheduler") as session:
        candidates.in_flight(session, search.id)
        candidates.members(session, search.id)
        measure = Step(Stage.MEASURE, "virtual")
        candidates.queue(session, candidate_id, [Step(Stage.COMPILE, "virtual"), Step(Stage.TRAIN, rung=0), measure])
    _compile_and_train(recorder)
    _measure(recorder)
    with recorder.acting_as("scheduler") as session:
        candidates.finish(session, candidate_id, Verdict(CandidateStatus.COMPLETE))
        store_candidates(session, search.id, 2)
        experiments.stop(session, search.id)
        experiments.resume(session, search.id)
        experiments.active(session)
        experiments.finish(session, search.id)
    _read(recorder, candidate_id)
    recorder.database.dispose()
    return recorder.lines


def _build(recorder: Recorder) -> None:
    with recorder.acting_as("worker") as session:
        workers.register(session, WorkerFacts("worker", "worker", "here", 2, ("build",), "test"))
    claim = recorder.claim("worker", Stage.BUILD)
    with recorder.acting_as("worker") as session:
        leases.extend(session, claim, 60, progress=0.5)
    with recorder.acting_as("worker") as session:
        leases.hand_back(session, claim)
    claim = recorder.claim("worker", Stage.BUILD, 2)
    with recorder.acting_as("worker") as session:
        network = StoredArtifact("c" * 64, "onnx", 1, "file:///c")
        leases.report(session, claim, Report(metrics={"parameters": 1, "macs": 2}, artifacts=[network]))


def _compile_and_train(recorder: Recorder) -> None:
    claim = recorder.claim("worker", Stage.COMPILE)
    with recorder.acting_as("worker") as session:
        network = StoredArtifact("d" * 64, "network", 1, "file:///d")
        leases.report(session, claim, Report(metrics={"network_bytes": 10}, artifacts=[network]))
    claim = recorder.claim("worker", Stage.TRAIN)
    epoch = EpochMetrics(1, train_loss=1, duration_s=1, metrics={"miou": 0.3})
    with recorder.acting_as("worker") as session:
        leases.record_epoch(session, claim, epoch)
        leases.attach(session, claim, [StoredArtifact("e" * 64, "checkpoint", 1, "file:///e")])
    with recorder.acting_as("worker") as session:
        checkpoint = StoredArtifact("f" * 64, "checkpoint", 1, "file:///f")
        leases.report(session, claim, Report(metrics={"miou": 0.4}, epochs=[epoch], artifacts=[checkpoint]))


def _measure(recorder: Recorder) -> None:
    with recorder.acting_as("agent") as session:
        phone_id = store_phone(session)
        phones.list_phones(session)
        phones.baseline(session, "virtual", "r" * 64, "key")
        phones.store_baseline(session, "virtual", "r" * 64, "key", 1.0)
        phones.set_state(session, phone_id, phones.PhoneState.READY, None)
    claim = recorder.claim("agent", Stage.MEASURE)
    with recorder.acting_as("agent") as session:
        leases.fail(session, claim, PhoneOffline())
    with recorder.acting_as("scheduler") as session:
        leases.requeue_expired(session)
    claim = recorder.claim("agent", Stage.MEASURE, 2)
    with recorder.acting_as("agent") as session:
        result = Report(metrics={"latency_ms": 3.0}, measurement=make_measurement(phone_id), simulated=True)
        leases.report(session, claim, result)


def _read(recorder: Recorder, candidate_id: int) -> None:
    with recorder.acting_as("reader") as session:
        search = experiments.find(session, "rolling")
        experiments.list_experiments(session)
        reports.candidates(session, search, where="latency_ms<4 and miou>0.1", sort="-miou", limit=5)
        assert len(reports.front(session, search).members) == 1
        reports.candidate(session, candidate_id)
        reports.progress(session, search)
        session.execute(text("SELECT search, candidate_id, status, miou, latency_ms FROM candidate_metrics"))
        session.execute(text("SELECT search, device, candidate_id, miou, latency_ms FROM pareto_front"))


def main() -> None:
    with running_postgres() as server:
        url = server.create_database("recorded")
        migrate.upgrade(url)
        lines = record(url)
    Path(sys.argv[1]).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()
