"""Lease throughput: claim + report by 16 claimants in two processes, as a share of what the same server commits at all.

Run: python -m benchmarks.leases. Starts a Postgres of its own, with fsync. A claim and a report are two commits, so the
yardsticks are pairs of transactions, on as many connections, through plain psycopg2: pgbench's `simple-update` script
(update and read an account, insert into the history), and, barest of all, one single-row update. All three take turns;
medians are printed. Where fsync is slow the ratios approach 1; where it is quick they compare Python's work instead.
"""

import multiprocessing
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier, Event
from os import environ
from pathlib import Path

import psycopg2
import psycopg2.extensions
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
SHARES = (range(0, 8), range(8, 16))
ROUNDS = 5
ROUND_S = 3.0
CANDIDATES = 60_000
ACCOUNTS = 100_000
WARM_UP = 20
REPORT = Report(metrics={"parameters": 81234, "macs": 1234567})
PROCESSES = multiprocessing.get_context("fork")

Job = Callable[[str, int, Barrier, threading.Event], int]
"""Connects, waits for the others, works until told to stop; returns how many pairs of commits it did."""


def main() -> None:
    rates: dict[str, list[float]] = {name: [] for name in JOBS}
    with running_server() as url:
        migrate.upgrade(url)
        prepare(url)
        for number in range(1, ROUNDS + 1):
            for name, job in JOBS.items():
                rates[name].append(rate(job, url))
            say(f"round {number}: " + ", ".join(f"{name} {found[-1]:.0f}/s" for name, found in rates.items()))
    claims = rates.pop("claim + report")
    say(f"medians with {CLAIMANTS} claimants: claim + report {statistics.median(claims):.0f}/s")
    for name, pairs in rates.items():
        ratio = statistics.median(claim / pair for claim, pair in zip(claims, pairs, strict=True))
        say(f"  ratio to two {name} transactions ({statistics.median(pairs):.0f}/s): {ratio:.2f}")


def simple_updates(url: str, number: int, ready: Barrier, stop: threading.Event) -> int:
    """What `pgbench --builtin simple-update` does, twice."""
    rng = random.Random(number)
    update = "UPDATE accounts SET balance = balance + %s WHERE id = %s"
    insert = "INSERT INTO history VALUES (%s, %s, %s, now())"

    def transact(cursor: psycopg2.extensions.cursor) -> None:
        account, delta = rng.randrange(ACCOUNTS), rng.randrange(-5000, 5000)
        cursor.execute(update, (delta, account))
        cursor.execute("SELECT balance FROM accounts WHERE id = %s", (account,))
        cursor.fetchone()
        cursor.execute(insert, (number, account, delta))

    return repeat(url, transact, ready, stop)


def single_updates(url: str, number: int, ready: Barrier, stop: threading.Event) -> int:
    """Two transactions of one single-row update each."""
    rng = random.Random(number)
    update = "UPDATE accounts SET balance = balance + 1 WHERE id = %s"
    return repeat(url, lambda cursor: cursor.execute(update, (rng.randrange(ACCOUNTS),)), ready, stop)


def repeat(
    url: str, transact: Callable[[psycopg2.extensions.cursor], None], ready: Barrier, stop: threading.Event
) -> int:
    """Pairs of transactions until told to stop; returns how many pairs."""
    parts = make_url(url)
    connection = psycopg2.connect(host=parts.query["host"], user=parts.username, dbname=parts.database)
    ready.wait()
    done = 0
    with connection.cursor() as cursor:
        while not stop.is_set():
            for _ in range(2):
                transact(cursor)
                connection.commit()
            done += 1
    connection.close()
    return done


def claim_and_report(url: str, number: int, ready: Barrier, stop: threading.Event) -> int:
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
    """Pairs of transactions per second of all claimants together."""
    ready, stop = PROCESSES.Barrier(CLAIMANTS + 1), PROCESSES.Event()
    results: SimpleQueue[int] = PROCESSES.SimpleQueue()

    processes = [PROCESSES.Process(target=run_share, args=(job, url, share, ready, stop, results)) for share in SHARES]
    for process in processes:
        process.start()
    ready.wait()
    started = time.monotonic()
    time.sleep(ROUND_S)
    stop.set()
    done = sum(results.get() for _ in range(CLAIMANTS))
    elapsed = time.monotonic() - started
    for process in processes:
        process.join()
    return float(done / elapsed)


def run_share(job: Job, url: str, share: range, ready: Barrier, stop: Event, results: "SimpleQueue[int]") -> None:
    """One process with its share of the claimants, each a thread with a connection of its own, as in a worker."""
    over = threading.Event()
    with ThreadPoolExecutor(len(share)) as pool:
        counts = [pool.submit(job, url, number, ready, over) for number in share]
        stop.wait()
        over.set()
        for count in counts:
            results.put(count.result())


def prepare(url: str) -> None:
    """A search with many queued builds, and the yardsticks' tables."""
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
        session.execute(text("CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL)"))
        session.execute(text("CREATE TABLE history (teller int, account int, delta int, at timestamptz)"))
        session.execute(text("INSERT INTO accounts SELECT n, 0 FROM generate_series(0, :n - 1) n"), {"n": ACCOUNTS})
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


JOBS: dict[str, Job] = {
    "simple-update": simple_updates,
    "single-row": single_updates,
    "claim + report": claim_and_report,
}

if __name__ == "__main__":
    main()
