"""Real processes with metrics and JSON logs: what they count is true, what they write can be read line by line."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from factories import make_experiment
from prometheus_client.parser import text_string_to_metric_families
from services import wait_until

from db import experiments
from db.session import Database
from paretofarm.messaging import celery_settings
from scheduler.broker import Broker
from scheduler.loop import Scheduler

TOOL = Path(__file__).parents[1] / "tools/prefork_counting.py"
PROGRAM = (sys.executable, "-P", "-m", "cli")
END_S = 20.0


class Running:
    """A process whose stderr goes to a file."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.log = log

    def port(self) -> int:
        """Where it says that its metrics are."""
        wait_until(lambda: self._port() is not None, 30, "the metrics' port")
        found = self._port()
        assert found is not None
        return int(found[1])

    def _port(self) -> "re.Match[str] | None":
        assert self.process.poll() is None, self.log.read_text()
        return re.search(r"metrics on http://127\.0\.0\.1:(\d+)/metrics", self.log.read_text())

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@contextmanager
def running(argv: tuple[str, ...], environment: Mapping[str, str], log: Path) -> Iterator[Running]:
    """Ended by SIGTERM after the block, as an engine of containers does."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            yield Running(process, log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(END_S)
            finally:
                process.kill()
                process.wait()


def scrape(port: int) -> dict[str, float]:
    """Sums over labels, by series."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    sums: dict[str, float] = {}
    for family in families:
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return sums


@pytest.fixture
def environment(database_url: str, broker_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        "PARETOFARM_DATABASE_URL": database_url,
        "PARETOFARM_BROKER_URL": broker_url,
        "PARETOFARM_DATA": str(tmp_path),
        "PARETOFARM_LOG_FORMAT": "json",
        "PARETOFARM_METRICS": "127.0.0.1:0",
    }


def test_a_worker_counts_what_its_jobs_did_and_names_them_in_its_log(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    """The search names a data set that is not there: its build ends well, its training and compilation do not. All of
    them happen in forked processes, the worker's own port tells of them."""
    dataset = {"type": "face_synthetics", "path": str(tmp_path / "nowhere"), "size": 64}
    training = {"type": "segmentation", "dataset": dataset}
    with database.transaction() as session:
        experiment = make_experiment(name="told", in_flight=1, stop={"candidates": 1}, training=training)
        experiments.create(session, experiment, source="", code_version="test")
    with (
        closing(Broker(environment["PARETOFARM_BROKER_URL"])) as broker,
        running((*PROGRAM, "worker", "--concurrency", "1"), environment, tmp_path / "worker.log") as worker,
    ):
        scheduler = Scheduler(database, broker, resend_s=30)
        scheduler.tick()
        port = worker.port()
        performed = "paretofarm_evaluations_performed_total"
        wait_until(lambda: scrape(port).get(performed) == 1, 60, "the build to be performed")
        assert "paretofarm_evaluation_errors_total" not in scrape(port)
        scheduler.tick()
        wait_until(lambda: scrape(port).get(performed) == 3, 60, "training and compilation to fail")
        counted = scrape(port)
    assert counted["paretofarm_evaluation_errors_total"] == 2
    assert counted["paretofarm_evaluation_duration_seconds_count"] == 3
    assert counted["paretofarm_evaluations_in_progress"] == 0
    assert counted["paretofarm_slots"] == 1
    lines = worker.lines()
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    about = [line for line in lines if "evaluation_id" in line]
    ids = ("search", "candidate_id", "evaluation_id", "attempt", "stage")
    found = [tuple(line[name] for name in ids) for line in about if line["level"] == "warning"]
    assert {(search, candidate, attempt, stage) for search, candidate, _, attempt, stage in found} == {
        ("told", 1, 1, "compile"),
        ("told", 1, 1, "train"),
    }
    assert len({line["evaluation_id"] for line in about}) == 3
    assert all(line["owner"].startswith("worker@") for line in about)


def test_an_exporter_tells_of_a_farm_whose_scheduler_is_dead(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    with database.transaction() as session:
        experiments.create(session, make_experiment(name="told"), source="", code_version="test")
    with closing(Broker(environment["PARETOFARM_BROKER_URL"])) as broker:
        Scheduler(database, broker, resend_s=30).tick()
    with running((*PROGRAM, "exporter"), environment, tmp_path / "exporter.log") as exporter:
        told = scrape(exporter.port())
    assert (told["paretofarm_database_up"], told["paretofarm_broker_up"]) == (1, 1)
    assert told["paretofarm_candidates"] == told["paretofarm_evaluations"] > 0
    assert exporter.process.returncode == 0
    assert [line["message"] for line in exporter.lines()][-1] == "exporter stops"


def test_a_process_that_cannot_serve_says_so_in_json(environment: dict[str, str], tmp_path: Path) -> None:
    with running((*PROGRAM, "exporter"), environment, tmp_path / "first.log") as first:
        taken = {**environment, "PARETOFARM_METRICS": f"127.0.0.1:{first.port()}"}
        argv = [*PROGRAM, "scheduler"]
        second = subprocess.run(argv, env={**os.environ, **taken}, capture_output=True, text=True, timeout=60)
    *_, line = [json.loads(line) for line in second.stderr.splitlines()]
    assert second.returncode == 2
    assert (line["level"], "Address already in use" in line["message"]) == ("critical", True)


def test_under_celerys_prefork_the_parent_tells_the_sum_of_its_children(
    environment: dict[str, str], broker_url: str, tmp_path: Path
) -> None:
    """As docs/metrics.md says: with PROMETHEUS_MULTIPROC_DIR, and only then."""
    shared = tmp_path / "counts"
    shared.mkdir()
    told = {**environment, "PROMETHEUS_MULTIPROC_DIR": str(shared), "C_FORCE_ROOT": "1"}
    argv = (sys.executable, str(TOOL), broker_url)
    with (
        running(argv, told, tmp_path / "prefork.log") as worker,
        closing(Celery("sender", set_as_current=False)) as app,
    ):
        app.conf.update(celery_settings(broker_url))
        for number in range(1, 21):
            app.send_task("count", args=[number], queue="count")
        port = worker.port()
        wait_until(lambda: scrape(port).get("paretofarm_training_images_total") == 210, 30, "the sum of all children")
        assert scrape(port)["paretofarm_training_epoch_duration_seconds_count"] == 20
