"""Lease throughput: claim + report by 16 processes, as a share of what the same server commits at all.

Run: python -m benchmarks.leases. Starts a Postgres of its own, with fsync. The yardstick is pgbench's kind of work: the
same number of connections, each doing pairs of transactions that update one random row each. Both run side by side,
in turns; medians are printed.
"""

import multiprocessing
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing.synchronize import Barrier, Event
from os import environ
from pathlib import Path

import psycopg2
from sqlalchemy import make_url, text

from cli.stack.binaries import postgres_folder
from cli.stack.child import Child
from cli.stack.identity import choose_identity
from cli.stack.postgres import PostgresServer
from db import candidates, experiments, leases, migrate
from db.report import Report
from db.session import Database
from paretofarm.algorithms.port import Origin, Proposal
from paretofarm.architecture import Architecture
from paretofarm.experiment import parse_experiment

CLAIMANTS = 16
ROUNDS = 5
ROUND_S = 4.0
CANDIDATES = 60_000
YARDSTICK_ROWS = 10_000
WARM_UP = 20
REPORT = Report(metrics={"parameters": 81234, "macs": 1234567})
PROCESSES = multiprocessing.get_context("fork")

Job = Callable[[str, int, Barrier, Event], int]
"""Connects, waits for the others, works until told to stop; returns how many pairs of commits it did."""


def main() -> None:
    with running_server() as url:
        migrate.upgrade(url)
        prepare(url)
        pairs, claims = [], []
        for number in range(1, ROUNDS + 1):
            pairs.append(rate(update_pairs, url))
            claims.append(rate(claim_and_report, url))
            say(f"round {number}: {pairs[-1]:6.0f} pairs of commits/s, {claims[-1]:6.0f} claims + reports/s")
    ratio = statistics.median(claim / pair for claim, pair in zip(claims, pairs, strict=True))
    say(f"medians: {statistics.median(pairs):.0f} pairs, {statistics.median(claims):.0f} claims + reports per second")
    say(f"ratio, median of {ROUNDS} rounds with {CLAIMANTS} claimants: {ratio:.2f} (wanted: at least 0.40)")


def update_pairs(url: str, number: int, ready: Barrier, stop: Event) -> int:
    """The yardstick: two transactions of one single-row update each."""
    parts = make_url(url)
    rng = random.Random(number)
    connection = psycopg2.connect(host=parts.query["host"], user=parts.username, dbname=parts.database)
    done = 0
    ready.wait()
    with connection.cursor() as cursor:
        while not stop.is_set():
            for _ in range(2):
                row = rng.randrange(YARDSTICK_ROWS)
                cursor.execute("UPDATE yardstick SET value = value + 1 WHERE id = %s", (row,))
                connection.commit()
            done += 1
    connection.close()
    return done


def claim_and_report(url: str, number: int, ready: Barrier, stop: Event) -> int:
    """Every claimant takes the builds of its own share, as if told by messages."""
    database = Database(url, pool_size=1)
    with database.transaction() as session:
        query = text("SELECT id FROM evaluations WHERE status = 'queued' AND id % :n = :k ORDER BY id")
        queued = iter(session.scalars(query, {"n": CLAIMANTS, "k": number}).all())
    work(database, queued, number, WARM_UP)
    ready.wait()
    done = 0
    while not stop.is_set():
        work(database, queued, number, 1)
        done += 1
    database.dispose()
    return done


def work(database: Database, queued: Iterator[int], number: int, count: int) -> None:
    for evaluation_id in islice(queued, count):
        with database.transaction() as session:
            claim = leases.claim(session, evaluation_id, 1, owner=f"bench-{number}", lease_s=60)
        assert claim is not None
        with database.transaction() as session:
            leases.report(session, claim, REPORT)


def rate(job: Job, url: str) -> float:
    """Pairs per second of all claimants together."""
    ready, stop, results = PROCESSES.Barrier(CLAIMANTS + 1), PROCESSES.Event(), PROCESSES.SimpleQueue()

    def run(number: int) -> None:
        results.put(job(url, number, ready, stop))

    processes = [PROCESSES.Process(target=run, args=(number,)) for number in range(CLAIMANTS)]
    for process in processes:
        process.start()
    ready.wait()
    started = time.monotonic()
    time.sleep(ROUND_S)
    stop.set()
    done = sum(results.get() for _ in processes)
    elapsed = time.monotonic() - started
    for process in processes:
        process.join()
    return done / elapsed


def prepare(url: str) -> None:
    """A search with many queued builds, and the yardstick's table."""
    database = Database(url)
    document = {
        "name": "bench",
        "search_space": {"type": "hourglass", "input_size": 64},
        "algorithm": {"type": "random"},
        "objectives": [{"name": "parameters", "goal": "minimize"}],
        "stop": {"candidates": CANDIDATES},
    }
    with database.transaction() as session:
        search = experiments.create(session, parse_experiment(document, "bench"), source="", code_version="bench")
    for start in range(0, CANDIDATES, 5000):
        proposals = [Proposal(Architecture("bench", {"n": start + n}), Origin.RANDOM) for n in range(5000)]
        with database.transaction() as session:
            candidates.propose(session, search, proposals)
    with database.transaction() as session:
        session.execute(text("CREATE TABLE yardstick (id int PRIMARY KEY, value int NOT NULL)"))
        session.execute(
            text("INSERT INTO yardstick SELECT n, 0 FROM generate_series(0, :n - 1) n"), {"n": YARDSTICK_ROWS}
        )
    database.dispose()


@contextmanager
def running_server() -> Iterator[str]:
    """Address of a database on a server that keeps its promises to the disk."""
    with tempfile.TemporaryDirectory(prefix="pf-bench-") as name:
        folder = Path(name)
        (folder / "run").mkdir(mode=0o700)
        files = (folder / "postgres", folder / "run", folder / "postgres.log")
        server = PostgresServer(postgres_folder(environ), *files, choose_identity())
        child = Child(server.prepare())
        try:
            while not server.is_ready():
                time.sleep(0.05)
            yield server.create_database("bench")
        finally:
            child.stop(server.stop_signals)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
