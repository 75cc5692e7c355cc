"""`paretofarm dashboard` as a process: where it listens, whom it lets in, and that it ends when it is told to."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from cli_results import store_results
from dashboard_client import make_token

from db.session import Database
from paretofarm.access import Scope

PROGRAM = (sys.executable, "-P", "-m", "cli", "dashboard")
END_S = 20


def environment(database_url: str, store: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PARETOFARM_")}
    return {**own, "PARETOFARM_DATABASE_URL": database_url, "PARETOFARM_ARTIFACTS": store.as_uri()}


@pytest.fixture
def process(database: Database, database_url: str, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    store_results(database)
    argv = [*PROGRAM, "--port", "0"]
    with subprocess.Popen(argv, env=environment(database_url, tmp_path), stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if match := re.search(r"dashboard on (http://127\.0\.0\.1:\d+)", line):
            return match[1]
    raise AssertionError("it has ended")


def test_it_answers_counts_and_ends_although_somebody_listens(
    process: subprocess.Popen[str], database: Database
) -> None:
    address = address_of(process)
    token = {"Authorization": f"Bearer {make_token(database, Scope.READ)}"}
    with urlopen(Request(f"{address}/api/v1/searches", headers=token), timeout=20) as answer:
        assert json.load(answer)["searches"][0]["name"] == "faces-demo"
    with urlopen(f"{address}/metrics", timeout=20) as answer:
        text = answer.read().decode()
    assert 'paretofarm_http_requests_total{method="GET",status="200"}' in text
    with urlopen(Request(f"{address}/api/v1/events/stream", headers=token), timeout=20) as stream:
        assert stream.readline() == b"retry: 2000\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_S) == 0
        assert b"data:" not in stream.read()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--no-auth", "--host", "0.0.0.0"), "--no-auth is for this machine only"),
        (("--host", "192.0.2.1"), "cannot be had"),
        (("--port", "70000"), "is not in the range"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    arguments: tuple[str, ...], complaint: str, database_url: str, tmp_path: Path
) -> None:
    argv = [*PROGRAM, *arguments]
    done = subprocess.run(argv, env=environment(database_url, tmp_path), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert complaint in done.stderr
