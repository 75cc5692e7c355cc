"""How long a tick of the scheduler takes in a search with many finished candidates: an idle one, one that proposes.

Run: python -m benchmarks.tick [--candidates N]; 10,000 by default. Starts a Postgres and a broker of its own; counts
for Prometheus, as in production. Prints medians; the yardstick is one trivial transaction on the same server, the least
that a tick could take.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from prometheus_client import CollectorRegistry
from sqlalchemy import text, update

from cli.local_stack import LocalStack
from cli.metrics.prometheus_meter import PrometheusMeter
from db import experiments, migrate
from db.session import Database
from db.tables import CandidateRow, EvaluationRow
from paretofarm.experiment import Experiment, parse_experiment
from paretofarm.instrument import Process
from paretofarm.lifecycle import CandidateStatus, EvaluationStatus
from scheduler.broker import Broker
from scheduler.loop import Scheduler

CHUNK = 2_000
REPEATS = 30
DOCUMENT = {
    "name": "ticking",
    "search_space": {"type": "hourglass", "input_size": 64},
    "algorithm": {"type": "evolution_pareto"},
    "objectives": [
        {"name": "miou", "goal": "maximize"},
        {"name": "latency_ms", "goal": "minimize", "device": "phone"},
    ],
    "training": {"type": "segmentation", "dataset": {"type": "face_synthetics", "path": "faces", "size": 64}},
    "measurement": {"runtime": "onnxruntime"},
    "stop": {"candidates": 1_000_000},
    "in_flight": 8,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=10_000)
    count = parser.parse_args().candidates
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder)) as stack:
        state = stack.state
        migrate.upgrade(state.database_url)
        meter = PrometheusMeter(Process.SCHEDULER, CollectorRegistry())
        database, broker = Database(state.database_url), Broker(state.broker_url or "")
        experiment = parse_experiment(DOCUMENT, "benchmark")
        with database.transaction() as session:
            search = experiments.create(session, experiment, source="", code_version="benchmark")
        _fill(database, search, experiment, count)
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        _say(f"{count:,} finished candidates, medians of {REPEATS}")
        _report(database, Scheduler(database, broker, resend_s=30, meter=meter))
        broker.close()
        database.dispose()


def _report(database: Database, scheduler: Scheduler) -> None:
    first = _ms(scheduler.tick)
    idle = [_ms(scheduler.tick) for _ in range(REPEATS)]
    proposing = []
    for _ in range(REPEATS):
        _end_one(database)
        proposing.append(_ms(scheduler.tick))
    trivial = [_ms(lambda: _trivial(database)) for _ in range(REPEATS)]
    _say(f"  first tick of a new scheduler (reads them all, proposes 8): {first:.0f} ms")
    _say(f"  tick with nothing to do: {statistics.median(idle):.1f} ms")
    _say(f"  tick that ends one candidate, proposes, stores and sends the next: {statistics.median(proposing):.1f} ms")
    _say(f"  one trivial transaction: {statistics.median(trivial):.2f} ms")


def _fill(database: Database, search: int, experiment: Experiment, count: int) -> None:
    """Complete candidates with random metrics; analysed meanwhile, as by autovacuum: triggers look for each."""
    rng = np.random.default_rng(0)
    space = experiment.search_space.search_space()
    statement = text(
        "INSERT INTO candidates (experiment_id, number, digest, architecture, origin, parents, status, metrics) "
        "SELECT :search, :first + number - 1, digest, architecture, 'random', '{}', 'complete', metrics "
        "FROM unnest(CAST(:digests AS text[]), CAST(:architectures AS jsonb[]), CAST(:metrics AS jsonb[])) "
        "WITH ORDINALITY AS filled (digest, architecture, metrics, number)"
    )
    for first in range(0, count, CHUNK):
        architectures = [space.sample(rng) for _ in range(min(CHUNK, count - first))]
        metrics = [{"miou": rng.random(), "latency_ms@phone": rng.random() * 50} for _ in architectures]
        columns = {
            "digests": [architecture.digest for architecture in architectures],
            "architectures": [architecture.canonical_json for architecture in architectures],
            "metrics": [json.dumps(each) for each in metrics],
        }
        with database.transaction(durable=False) as session:
            session.execute(statement, {"search": search, "first": first, **columns})
            session.execute(text("ANALYZE candidates, points"))


def _end_one(database: Database) -> None:
    """The oldest candidate in flight fails, so that a slot is free."""
    with database.transaction() as session:
        oldest = session.scalar(
            text("SELECT min(id) FROM candidates WHERE status IN ('proposed', 'running')"),
        )
        failed = {"status": EvaluationStatus.FAILED, "code": "BuildFailed", "reason": "for the benchmark"}
        session.execute(update(EvaluationRow).where(EvaluationRow.candidate_id == oldest).values(failed))
        assert session.get_one(CandidateRow, oldest).status is CandidateStatus.PROPOSED


def _trivial(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("SELECT 1"))


def _ms(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
