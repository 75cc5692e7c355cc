"""One process of claimants, each a thread, as in a worker. `benchmarks.leases` starts it and talks to it by lines.

It prints {"ready": true} once all are connected and warm. A line on its standard input begins the time that counts, a
second one ends it; then it prints what was done meanwhile, {"pairs": N}: pairs of transactions.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Event

import psycopg2
from sqlalchemy import make_url, text

from db import leases
from db.artifact import StoredArtifact
from db.report import Report
from db.session import Database

WARM_UP = 20
METRICS = {"parameters": 81234.0, "macs": 1234567.0}

Pair = Callable[[], None]
"""Does two transactions."""


def main() -> None:
    job, url, claimants, *numbers = sys.argv[1:]
    # One connection more for the notifications.
    database = Database(url, pool_size=len(numbers) + 1)
    pairs = [JOBS[job](database, int(number), int(claimants)) for number in numbers]
    done, stop = [0] * len(pairs), Event()
    with ThreadPoolExecutor(len(pairs)) as pool:
        loops = [pool.submit(_repeat, pair, done, number, stop) for number, pair in enumerate(pairs)]
        counted = _count(done, loops)
        stop.set()
    for loop in loops:
        loop.result()
    _say({"pairs": counted})
    database.dispose()


def _repeat(pair: Pair, done: list[int], number: int, stop: Event) -> None:
    while not stop.is_set():
        pair()
        done[number] += 1


def _count(done: list[int], loops: list[Future[None]]) -> int:
    """Pairs between the two lines from outside; at once where a claimant has failed."""
    while min(done) < WARM_UP:
        if any(loop.done() for loop in loops):
            return 0
        time.sleep(0.01)
    _say({"ready": True})
    sys.stdin.readline()
    before = sum(done)
    sys.stdin.readline()
    return sum(done) - before


def claim_and_report(database: Database, number: int, claimants: int, *, with_artifact: bool) -> Pair:
    """Takes the builds of its own share, as if told by messages."""
    queued = _queued(database, number, claimants)

    def pair() -> None:
        evaluation_id = next(queued)
        with database.statement() as connection:
            claim = leases.claim(connection, evaluation_id, 1, owner=f"bench-{number}", lease_s=60)
        assert claim is not None
        network = StoredArtifact(f"{evaluation_id:064x}", "onnx_fp32", 81234, "file:///network.onnx")
        leases.hand_in(database, claim, Report(METRICS, artifacts=[network] if with_artifact else ()))

    return pair


def _queued(database: Database, number: int, claimants: int) -> Iterator[int]:
    with database.transaction() as session:
        query = text("SELECT id FROM evaluations WHERE status = 'queued' AND id % :n = :k ORDER BY id")
        return iter(session.scalars(query, {"n": claimants, "k": number}).all())


def single_rows(database: Database, number: int, claimants: int) -> Pair:
    """Twice the least there is to commit, without SQLAlchemy: one row of pgbench's accounts."""
    parts = make_url(database.url)
    connection = psycopg2.connect(host=parts.query["host"], user=parts.username, dbname=parts.database)
    rng, cursor = random.Random(number), connection.cursor()
    cursor.execute("SELECT max(aid) FROM pgbench_accounts")
    [accounts] = cursor.fetchone() or [0]

    def pair() -> None:
        for _ in range(2):
            update = "UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = %s"
            cursor.execute(update, (rng.randint(1, accounts),))
            connection.commit()

    return pair


def _say(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


JOBS: dict[str, Callable[[Database, int, int], Pair]] = {
    "claim + report": partial(claim_and_report, with_artifact=False),
    "claim + report with an artifact": partial(claim_and_report, with_artifact=True),
    "single-row": single_rows,
}

if __name__ == "__main__":
    main()
