"""What the dashboard asks of a search with a million candidates: its front, a filtered page, its overview.

Run: python -m benchmarks.dashboard_queries [CANDIDATES] [--plans FILE]. Starts a Postgres of its own, which fills its
tables itself; takes some minutes and 3 GB of disk. Prints medians, and writes the plans where a file is named.
"""

import argparse
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.orm import Session

from benchmarks.tick import DOCUMENT
from cli.local_stack import LocalStack
from db import experiments, migrate
from db.candidate_page import PageRequest, cursor, page
from db.experiments import StoredExperiment
from db.plot_points import plot_points
from db.point_front import FrontRequest, point_front
from db.search_status import read_status
from db.session import Database
from db.status_board import StatusBoard
from paretofarm.experiment import parse_experiment

REPEATS = 11
DEVICE = "phone"
FILL = (
    # A front of some dozen members: accuracy costs time, with luck and bad luck.
    """
    INSERT INTO candidates (experiment_id, number, digest, architecture, origin, parents, status, reason, metrics,
        intervals, simulated, created_at, started_at, finished_at)
    SELECT :search, n, encode(sha256(n::text::bytea), 'hex'),
        jsonb_build_object('space', 'hourglass', 'choices', jsonb_object_agg_choices(n)),
        'mutation', CASE WHEN n < 100 THEN '{}'::bigint[] ELSE ARRAY[(n / 2)::bigint] END,
        status, CASE status WHEN 'complete' THEN NULL ELSE 'latency_ms is too great' END,
        jsonb_build_object('parameters', round(ms * 20000), 'macs', round(ms * 9e6), 'miou', miou, 'f1', miou + 0.05,
            'loss', 1 - miou, 'latency_ms@phone', ms, 'latency_p90_ms@phone', ms * 1.1,
            'network_bytes@phone', round(ms * 30000)),
        jsonb_build_object('latency_ms@phone', jsonb_build_array(ms * 0.98, ms * 1.02)),
        false, began, began, began + interval '20 seconds'
    FROM (
        SELECT n, 1 + 49 * pow(random(), 2) AS ms, now() - (:candidates - n) * interval '10 seconds' AS began,
            CASE n % 20 WHEN 0 THEN 'infeasible' WHEN 1 THEN 'failed' ELSE 'complete' END AS status,
            random_normal(0.8, 0.05) AS luck
        FROM generate_series(0, :candidates - 1) AS n
    ) AS drawn
    CROSS JOIN LATERAL (SELECT 0.7 * (1 - exp(-ms / 12)) * luck AS miou) AS scored
    """,
    """
    INSERT INTO evaluations (candidate_id, stage, device, rung, queue, status, code)
    SELECT c.id, step.stage, step.device, step.rung, step.queue,
        CASE WHEN c.status = 'failed' AND step.stage = 'train' THEN 'failed' ELSE 'done' END,
        CASE WHEN c.status = 'failed' AND step.stage = 'train' THEN 'OutOfMemory' END
    FROM candidates c CROSS JOIN (VALUES
        ('build', NULL, NULL::bigint, 'build'), ('compile', 'phone', NULL, 'compile'),
        ('measure', 'phone', NULL, 'measure.phone'), ('train', NULL, 0, 'train')
    ) AS step (stage, device, rung, queue)
    """,
    """
    INSERT INTO points
    SELECT c.experiment_id, 'phone', c.number, c.id, c.status, (c.number / 100) % 60, 12.0,
        (metrics ->> 'parameters')::float8, (metrics ->> 'macs')::float8, (metrics ->> 'network_bytes@phone')::float8,
        (metrics ->> 'latency_ms@phone')::float8, (metrics ->> 'latency_ms@phone')::float8 * 0.98,
        (metrics ->> 'latency_ms@phone')::float8 * 1.02, (metrics ->> 'latency_p90_ms@phone')::float8,
        (metrics ->> 'miou')::float8, (metrics ->> 'f1')::float8, NULL, (metrics ->> 'loss')::float8, NULL, NULL, NULL,
        false, number % 50 = 0, finished_at
    FROM candidates c
    """,
)
CHOICES = """
CREATE FUNCTION jsonb_object_agg_choices(n bigint) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_object_agg('choice_' || place, (n * place) % 7) FROM generate_series(1, 24) AS place
$$
"""
"""As many as the hourglass space has."""


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder)) as stack:
        url = stack.state.database_url
        migrate.upgrade(url)
        database = Database(url)
        started = time.monotonic()
        search = _fill(database, arguments.candidates)
        _say(f"{arguments.candidates:,} candidates filled in within {time.monotonic() - started:.0f} s")
        plans = _report(database, search)
        if arguments.plans:
            arguments.plans.write_text(plans, encoding="utf-8")
        database.dispose()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("candidates", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--plans", type=Path, help="a file for the queries' plans")
    return parser.parse_args()


def _fill(database: Database, candidates: int) -> StoredExperiment:
    objectives = [{"name": "miou", "goal": "maximize"}, {"name": "latency_ms", "goal": "minimize", "device": DEVICE}]
    document = {**DOCUMENT, "objectives": objectives, "constraints": [{"name": "parameters", "at_most": 800_000}]}
    document["stop"] = {"candidates": 10_000_000}
    experiment = parse_experiment(document, "the benchmark")
    with database.transaction() as session:
        search = experiments.create(session, experiment, source="", code_version="benchmark")
        session.execute(text("ALTER TABLE candidates DISABLE TRIGGER USER"))  # one by one takes ten times as long
        session.execute(text(CHOICES))
        for statement in FILL:
            values = {"search": search, "candidates": candidates}
            session.execute(text(statement), values)
        session.execute(text("ALTER TABLE candidates ENABLE TRIGGER USER"))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE)"))
    with database.transaction() as session:
        return experiments.get(session, search)


def _report(database: Database, search: StoredExperiment) -> str:
    board = StatusBoard()
    middle = cursor(sort="latency_ms", key=12.0, number=1)
    late = cursor(sort="number", key=0.0, number=_last_number(database) * 9 // 10)
    questions: dict[str, Callable[[Session], Any]] = {
        "front: two objectives, a constraint": lambda session: point_front(session, search, FrontRequest()),
        "front: with a condition": lambda session: point_front(session, search, FrontRequest(where="f1 > 0.3")),
        "front: two other metrics": lambda session: point_front(session, search, FrontRequest(metrics=("macs", "f1"))),
        "front: three metrics": lambda session: point_front(
            session, search, FrontRequest(metrics=("latency_ms", "miou", "parameters"))
        ),
        "front: confident": lambda session: point_front(session, search, FrontRequest(confident=True)),
        "page: filtered": lambda session: page(session, search, PageRequest(where="latency_ms<4 and miou>0.12")),
        "page: filtered, most accurate first": lambda session: page(
            session, search, PageRequest(where="latency_ms<20 and status = 'complete'", sort="-miou")
        ),
        "page: filtered, somewhere in the middle": lambda session: page(
            session, search, PageRequest(where="latency_ms<20", sort="latency_ms", after=middle)
        ),
        "page: by number, deep down": lambda session: page(session, search, PageRequest(after=late)),
        "overview of a search, asked the first time": lambda session: read_status(session, search),
        "overview of a search, asked again": lambda session: board.read(session, search),
        "points of a plot, the latest 50,000": lambda session: plot_points(session, search),
    }
    plans = []
    for name, question in questions.items():
        median, times = _median_ms(database, question)
        _say(f"{name}: {median:.1f} ms ({min(times):.1f}-{max(times):.1f})")
        plans.append(f"## {name}: {median:.1f} ms\n\n" + "\n".join(_plans(database, question)))
    return "\n".join(plans)


def _last_number(database: Database) -> int:
    with database.transaction() as session:
        return session.scalar(text("SELECT max(number) FROM points")) or 0


def _median_ms(database: Database, question: Callable[[Session], Any]) -> tuple[float, list[float]]:
    times = []
    for _ in range(REPEATS):
        with _reading(database) as session:
            started = time.perf_counter()
            question(session)
            times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times), times


@contextmanager
def _reading(database: Database) -> Iterator[Session]:
    """As the dashboard reads."""
    with database.transaction() as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        yield session


def _plans(database: Database, question: Callable[[Session], Any]) -> Iterator[str]:
    """Of every statement that the question sends."""
    asked: list[str] = []

    def note(connection: Any, cursor: Any, *_: Any) -> None:
        asked.append(cursor.query.decode())

    event.listen(database.engine, "after_cursor_execute", note)
    with _reading(database) as session:
        question(session)
    event.remove(database.engine, "after_cursor_execute", note)
    for sql in (sql for sql in asked if sql.lstrip().startswith(("SELECT", "WITH"))):
        with _reading(database) as session:
            rows = session.connection().exec_driver_sql("EXPLAIN (ANALYZE, BUFFERS) " + sql.replace("%", "%%")).all()
        yield _shortened("```\n" + sql + "\n\n" + "\n".join(row[0] for row in rows) + "\n```\n")


def _shortened(text: str) -> str:
    """Without long lists of numbers and columns."""
    text = re.sub(r"(ARRAY\[|IN \(|'\{)[^\]\)\}]{60,}", r"\1…", text)
    return re.sub(r"SELECT (candidates\.id), [^\n]*?(candidates\.pinned_at)", r"SELECT \1, …, \2", text)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
