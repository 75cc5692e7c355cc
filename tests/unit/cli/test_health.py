"""The containers' health check: metrics are served, and a scheduler that plans ticks."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cli.health import parse, trouble
from paretofarm import instruments


class Metrics:
    """A process that serves this text."""

    def __init__(self) -> None:
        self.text = ""
        metrics = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(metrics.text.encode())

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.environment = {"PARETOFARM_METRICS": f"0.0.0.0:{self.server.server_port}"}


@pytest.fixture
def metrics() -> Iterator[Metrics]:
    served = Metrics()
    thread = threading.Thread(target=served.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    served.server.shutdown()
    thread.join()
    served.server.server_close()


def scheduler(ticks: int, leading: int = 1) -> str:
    leads = f"{instruments.LEADING.full_name} {leading}.0"
    return f'# HELP x y\n{leads}\n{instruments.TICK_SECONDS.full_name}_count {ticks}.0\nother{{a="b c"}} 1.0\n'


def test_a_process_that_tells_its_metrics_is_well(metrics: Metrics, tmp_path: Path) -> None:
    metrics.text = 'paretofarm_build_info{version="1"} 1.0\n'
    assert trouble(metrics.environment, tmp_path / "ticks") is None


def test_a_scheduler_that_plans_must_tick(metrics: Metrics, tmp_path: Path) -> None:
    answers = []
    for ticks in (5, 6, 6):
        metrics.text = scheduler(ticks)
        answers.append(trouble(metrics.environment, tmp_path / "ticks"))
    assert answers == [None, None, "no tick since the last check (6.0 in all)"]


def test_a_scheduler_that_stands_by_need_not(metrics: Metrics, tmp_path: Path) -> None:
    metrics.text = scheduler(6, leading=0)
    assert [trouble(metrics.environment, tmp_path / "ticks") for _ in range(2)] == [None, None]


def test_silence_is_trouble(tmp_path: Path) -> None:
    assert "no metrics" in (trouble({"PARETOFARM_METRICS": "0.0.0.0:1"}, tmp_path / "ticks") or "")
    assert "not set" in (trouble({}, tmp_path / "ticks") or "")


def test_samples_with_labels_are_left_out() -> None:
    assert parse(scheduler(3)) == {
        instruments.LEADING.full_name: 1.0,
        f"{instruments.TICK_SECONDS.full_name}_count": 3.0,
    }
