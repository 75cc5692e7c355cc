"""How long a tick of the scheduler takes in a search with 10,000 finished candidates: an idle one, one that proposes.

Run: python -m benchmarks.tick. Starts a Postgres and a broker of its own; counts for Prometheus, as in production.
Prints medians; the yardstick is one trivial transaction on the same server, the least that a tick could take.
"""

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
from sqlalchemy.orm import Session

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

CANDIDATES = 10_000
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
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder)) as stack:
        state = stack.state
        migrate.upgrade(state.database_url)
        meter = PrometheusMeter(Process.SCHEDULER, CollectorRegistry())
        database, broker = Database(state.database_url), Broker(state.broker_url or "")
        experiment = parse_experiment(DOCUMENT, "benchmark")
        with database.transaction() as session:
            search = experiments.create(session, experiment, source="", code_version="benchmark")
            _fill(session, search, experiment)
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
    _say(f"{CANDIDATES:,} finished candidates, medians of {REPEATS}")
    _say(f"  first tick of a new scheduler (reads them all, proposes 8): {first:.0f} ms")
    _say(f"  tick with nothing to do: {statistics.median(idle):.1f} ms")
    _say(f"  tick that ends one candidate, proposes, stores and sends the next: {statistics.median(proposing):.1f} ms")
    _say(f"  one trivial transaction: {statistics.median(trivial):.2f} ms")


def _fill(session: Session, search: int, experiment: Experiment) -> None:
    """Complete candidates with random metrics."""
    rng = np.random.default_rng(0)
    space = experiment.search_space.search_space()
    statement = text(
        "INSERT INTO candidates (experiment_id, number, digest, architecture, origin, parents, status, metrics) VALUES "
        "(:search, :number, :digest, CAST(:architecture AS jsonb), 'random', '{}', 'complete', CAST(:metrics AS jsonb))"
    )
    architectures = [space.sample(rng) for _ in range(CANDIDATES)]
    rows = [
        {
            "search": search,
            "number": number,
            "digest": architecture.digest,
            "architecture": architecture.canonical_json,
            "metrics": json.dumps({"miou": rng.random(), "latency_ms@phone": rng.random() * 50}),
        }
        for number, architecture in enumerate(architectures)
    ]
    session.execute(statement, rows)


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
