"""What metrics cost: one count, one reading of a farm with 100,000 candidates, one scrape of it.

Run: python -m benchmarks.metrics. Starts a Postgres of its own. Ticks with and without metrics: `benchmarks.tick`.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks.tick import DOCUMENT
from cli.local_stack import LocalStack
from cli.metrics.cached_readings import CachedReadings
from cli.metrics.prometheus_meter import PrometheusMeter
from db import experiments, migrate
from db.readings import FarmReadings
from db.session import Database
from paretofarm import instruments
from paretofarm.experiment import parse_experiment
from paretofarm.instrument import Process

CANDIDATES = 100_000
REPEATS = 20
COUNTS = 100_000
FILL = (
    """
    INSERT INTO candidates (experiment_id, number, digest, architecture, origin, parents, status, metrics)
    SELECT :search, n, encode(sha256(n::text::bytea), 'hex'), jsonb_build_object('choices', repeat('x', 600)),
        'random', '{}', 'complete', jsonb_build_object('miou', random(), 'latency_ms@phone', random() * 50)
    FROM generate_series(0, :candidates - 1) AS n
    """,
    """
    INSERT INTO evaluations (candidate_id, stage, device, rung, queue, status)
    SELECT id, step.stage, step.device, step.rung, step.queue, 'done'
    FROM candidates CROSS JOIN (VALUES
        ('build', NULL, NULL::bigint, 'build'), ('compile', 'phone', NULL, 'compile'),
        ('measure', 'phone', NULL, 'measure.phone'), ('train', NULL, 0, 'train')
    ) AS step (stage, device, rung, queue)
    """,
    """
    INSERT INTO events (at, kind, experiment_id, candidate_id, details)
    SELECT now() - interval '1 hour', (ARRAY['evaluation_queued', 'evaluation_claimed', 'evaluation_done'])[n % 3 + 1],
        :search, n / 12, '{"owner": "worker", "attempt": 1}'
    FROM generate_series(0, :candidates * 12 - 1) AS n
    """,
    """
    UPDATE evaluations SET status = 'queued' WHERE id % 100 = 0
    """,
)


def main() -> None:
    _say(f"one count: {_count_us(PrometheusMeter(Process.WORKER, CollectorRegistry())):.2f} µs")
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder)) as stack:
        url = stack.state.database_url
        migrate.upgrade(url)
        database = Database(url)
        with database.transaction() as session:
            experiment = parse_experiment({**DOCUMENT, "name": "measured"}, "benchmark")
            _fill(session, experiments.create(session, experiment, source="", code_version="benchmark"))
        _vacuum(database)
        _report(FarmReadings(database, artifacts=folder, broker_answers=lambda: True))
        database.dispose()


def _report(farm: FarmReadings) -> None:
    first = _ms(farm.read)
    later = statistics.median(_ms(farm.read) for _ in range(REPEATS))
    registry = CollectorRegistry()
    registry.register(CachedReadings(farm.read, keep_s=60.0))
    generate_latest(registry)
    scrape = statistics.median(_ms(lambda: generate_latest(registry)) for _ in range(REPEATS))
    _say(f"{CANDIDATES:,} candidates, {4 * CANDIDATES:,} evaluations, {12 * CANDIDATES:,} events")
    _say(f"  first reading of a new exporter: {first:.0f} ms; every later one: {later:.0f} ms (median of {REPEATS})")
    _say(f"  a scrape within the time that a reading is kept: {scrape:.1f} ms")


def _fill(session: Session, search: int) -> None:
    for statement in FILL:
        session.execute(text(statement), {"search": search, "candidates": CANDIDATES})


def _vacuum(database: Database) -> None:
    """As autovacuum would have done by the time that so many candidates have come together."""
    with database.statement() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def _count_us(meter: PrometheusMeter) -> float:
    started = time.perf_counter()
    for _ in range(COUNTS):
        meter.add(instruments.PERFORMED, stage="train", outcome="done")
    return (time.perf_counter() - started) / COUNTS * 1e6


def _ms(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
