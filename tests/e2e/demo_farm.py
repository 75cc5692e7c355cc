"""A newcomer's farm: `paretofarm up` as a process, and a search that is small, of three objectives and real."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import yaml
from click.testing import CliRunner
from services import wait_until
from sqlalchemy import text

from cli.connection import open_database
from cli.main import main
from db.session import Database
from workers.datasets.faces import write_faces

ROOT = Path(__file__).parents[2]
NAME = "small-demo"
CANDIDATES = 5
START_S = 120.0
DATASET = {"type": "face_synthetics", "size": 32}
TRAINING = {"type": "segmentation", "epochs": [1], "learning_rate": 6e-3}
DOCUMENT = {
    "name": NAME,
    "seed": 11,
    "search_space": {
        "type": "hourglass",
        "input_size": 32,
        "base_channels": [8],
        "hourglasses": [1],
        "downsample_blocks": 3,
        "downsample_layers": [1, 2],
        "channel_expansions": [1, 1.5],
        "skip_layers": [0, 1],
        "upsample_layers": [1],
        "post_upsample_layers": [0],
        "ops": ["conv3x3", "conv5x5"],
    },
    "algorithm": {"type": "evolution_pareto", "initial": 3},
    "objectives": [
        {"name": "miou", "goal": "maximize"},
        {"name": "latency_ms", "goal": "minimize", "device": "virtual"},
        {"name": "parameters", "goal": "minimize"},
    ],
    "measurement": {
        "runtime": "onnxruntime",
        "max_relative_ci": 0.5,
        "min_block_s": 0.05,
        "min_inferences": 10,
        "max_blocks": 4,
        "max_reference_shift": 0.9,  # what matters here is the page: phones share a busy machine with a browser
        "calibration_images": 4,
    },
    "stop": {"candidates": CANDIDATES},
    "in_flight": 2,
}


@dataclass(frozen=True)
class Demo:
    """address: of the web page. environment: for commands that shall find the farm."""

    address: str
    environment: Mapping[str, str]
    folder: Path
    database: Database

    def cli(self, *arguments: str) -> str:
        """What a command says on stdout; it must succeed."""
        answer = CliRunner().invoke(main, arguments, env=self.environment, catch_exceptions=False)
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    def start(self) -> None:
        file = self.folder / "demo.yaml"
        dataset = {**DATASET, "path": str(self.folder / "faces")}
        document = {**DOCUMENT, "training": {**TRAINING, "dataset": dataset}}
        file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        self.cli("search", "start", str(file))

    def complete(self) -> int:
        """Candidates of all searches."""
        with self.database.transaction() as session:
            return session.scalar(text("SELECT count(*) FROM candidates WHERE status = 'complete'")) or 0

    def count(self, what: str) -> int:
        """Rows of a table, or of one with a condition."""
        with self.database.transaction() as session:
            return session.scalar(text(f"SELECT count(*) FROM {what}")) or 0

    def is_finished(self) -> bool:
        with self.database.transaction() as session:
            return bool(session.scalar(text("SELECT status = 'finished' FROM experiments WHERE name = :name"), _NAMED))


_NAMED = {"name": NAME}


@contextmanager
def running_demo(folder: Path) -> Iterator[Demo]:
    """Servers, scheduler, worker, a virtual phone with its agent, and the web page; all gone afterwards."""
    write_faces(folder / "faces", 100, 32, 1)
    environment = {**os.environ, "PARETOFARM_DATA": str(folder / "data"), "PARETOFARM_DASHBOARD_PORT": ""}
    said = folder / "up.log"
    argv = (sys.executable, "-P", "-m", "cli", "up", "--phones", "1", "--workers", "1")
    with said.open("wb") as output:
        process = subprocess.Popen(argv, cwd=ROOT, env=environment, stderr=output)
    try:
        wait_until(lambda: _page(said) is not None or process.poll() is not None, START_S, "paretofarm up")
        address = _page(said)
        assert address is not None, said.read_text()
        wait_until(lambda: _answers(address), START_S, "the web page")
        with open_database(environment) as database:
            yield Demo(address, environment, folder, database)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(START_S)


def _page(said: Path) -> str | None:
    """As a newcomer reads it."""
    found = re.search(r"web page: (http://\S+)", said.read_text())
    return found and found[1]


def _answers(address: str) -> bool:
    try:
        with urlopen(f"{address}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except URLError:
        return False
