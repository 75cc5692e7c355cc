"""Lease throughput: claim + report by 16 claimants in two processes, as a share of what the same server commits at all.

Run: python -m benchmarks.leases. Starts a Postgres of its own, with fsync. A claim and a report are two commits, so the
yardsticks are pairs of transactions, on as many connections: the real pgbench with its default script and with the
lighter `simple-update`, that also with prepared statements, and, barest of all, one single-row update through plain
psycopg2. All take turns; medians are printed. Where fsync is slow the ratios approach 1; where it is quick they compare
how much processor time each takes.
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from os import environ
from pathlib import Path

from sqlalchemy import make_url, text

from benchmarks.claimants import JOBS
from cli.stack.binaries import postgres_folder
from cli.stack.child import Child
from cli.stack.identity import choose_identity
from cli.stack.postgres import PostgresServer
from db import candidates, experiments, migrate
from db.session import Database
from paretofarm.algorithms.port import Origin, Proposal
from paretofarm.architecture import Architecture
from paretofarm.errors import StackError
from paretofarm.experiment import parse_experiment

CLAIMANTS = 16
SHARES = (range(0, 8), range(8, 16))
ROUNDS = 7
ROUND_S = 2.0
LIMIT_S = 120.0
CANDIDATES = 100_000
SCALE = 20
"""Of pgbench's tables: no fewer than the clients, or they wait for each other's branch rows."""

Rate = Callable[[str], float]
"""Pairs of transactions per second of all claimants together, on the database of that address."""


def main() -> None:
    with running_server() as url:
        prepare(url)
        rates: dict[str, list[float]] = {name: [] for name in RATES}
        for number in range(1, ROUNDS + 1):
            for name, rate in RATES.items():
                rates[name].append(rate(url))
            say(f"round {number}: " + ", ".join(f"{name} {found[-1]:.0f}/s" for name, found in rates.items()))
    for name in CLAIMS:
        compare(name, rates)


def compare(name: str, rates: dict[str, list[float]]) -> None:
    """Prints the ratio to each yardstick: the median over the rounds, and the least."""
    say(f"{name} by {CLAIMANTS} claimants: {statistics.median(rates[name]):.0f}/s")
    for yardstick in (other for other in rates if other not in CLAIMS):
        ratios = [mine / its for mine, its in zip(rates[name], rates[yardstick], strict=True)]
        pairs = f"two {yardstick} transactions ({statistics.median(rates[yardstick]):.0f}/s)"
        say(f"  ratio to {pairs}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def by_claimants(url: str, *, job: str) -> float:
    """What our own processes do."""
    command = [sys.executable, "-m", "benchmarks.claimants", job, url, str(CLAIMANTS)]
    processes = [
        subprocess.Popen([*command, *map(str, share)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for share in SHARES
    ]
    for process in processes:
        hear(process, "ready")
    started = time.monotonic()
    for process in processes:
        tell(process)
    time.sleep(ROUND_S)
    for process in processes:
        tell(process)
    elapsed = time.monotonic() - started
    pairs = sum(hear(process, "pairs") for process in processes)
    for process in processes:
        process.communicate(timeout=LIMIT_S)
    return pairs / elapsed


def tell(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def hear(process: "subprocess.Popen[str]", key: str) -> int:
    assert process.stdout is not None
    return int(json.loads(process.stdout.readline())[key])


def by_pgbench(url: str, *, script: str, protocol: str = "simple") -> float:
    """What pgbench does, half of it since a pair is two."""
    load = ["--builtin", script, "--protocol", protocol, "--client", str(CLAIMANTS), "--jobs", str(len(SHARES))]
    printed = pgbench(url, *load, "--time", f"{ROUND_S:.0f}", "--no-vacuum")
    found = re.search(r"^tps = ([0-9.]+)", printed, re.MULTILINE)
    assert found, printed
    return float(found[1]) / 2


def pgbench(url: str, *options: str) -> str:
    program = postgres_folder(environ) / "pgbench"
    if not program.exists():
        raise StackError(f"there is no pgbench in {program.parent}")
    parts = make_url(url)
    address = ["--host", str(parts.query["host"]), "--username", parts.username or "", parts.database or ""]
    done = subprocess.run([program, *options, *address], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if done.returncode != 0:
        raise StackError(f"pgbench failed: {done.stderr}")
    return done.stdout


def prepare(url: str) -> None:
    """A search with many queued builds, and the yardsticks' tables."""
    migrate.upgrade(url)
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
    pgbench(url, "--initialize", "--scale", str(SCALE), "--quiet")
    with database.statement() as connection:
        for statement in ("VACUUM ANALYZE", "CHECKPOINT"):
            connection.execute(text(statement))
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


CLAIMS: dict[str, Rate] = {name: partial(by_claimants, job=name) for name in JOBS if name.startswith("claim")}
RATES: dict[str, Rate] = {
    "pgbench tpcb-like": partial(by_pgbench, script="tpcb-like"),
    "claim + report": CLAIMS["claim + report"],
    "pgbench simple-update": partial(by_pgbench, script="simple-update"),
    "claim + report with an artifact": CLAIMS["claim + report with an artifact"],
    "pgbench simple-update, prepared": partial(by_pgbench, script="simple-update", protocol="prepared"),
    "single-row": partial(by_claimants, job="single-row"),
}

if __name__ == "__main__":
    main()
