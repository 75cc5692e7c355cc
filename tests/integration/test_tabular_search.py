"""A whole search out of a table: real scheduler, database, broker, worker and agent; nothing trained, no phone."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from sqlalchemy import func, select

from cli.connection import open_database
from db.tables import ArtifactRow, CandidateRow, EvaluationRow, MeasurementRow, PhoneRow, TrainingMetricsRow
from paretofarm.architecture import Architecture
from paretofarm.lifecycle import CandidateStatus
from paretofarm.spaces.nas_bench_201 import OfficialNumbers

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "benchmarks" / "data" / "nb201_hw.npz"
CANDIDATES = 100
LIMIT = 3.0e5


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PARETOFARM_")}
    return {**own, "PARETOFARM_DATA": str(tmp_path_factory.mktemp("farm"))}


@pytest.fixture(scope="module")
def searched(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The example as it is, but for its size and a tighter limit; its front as the command line prints it."""
    document = yaml.safe_load((ROOT / "examples" / "nas_bench_201.yaml").read_text())
    document |= {"stop": {"candidates": CANDIDATES}, "in_flight": 32, "name": "tabular"}
    document["constraints"] = [{"name": "parameters", "at_most": LIMIT}]
    file = tmp_path_factory.mktemp("experiment") / "tabular.yaml"
    file.write_text(yaml.safe_dump(document))
    front: dict[str, Any] = json.loads(run(environment, "search", "start", str(file), "--wait", "--json"))
    return front


def run(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-P", "-m", "cli", *arguments]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_candidate_has_the_numbers_of_the_table(searched: dict[str, Any], environment: dict[str, str]) -> None:
    with np.load(TABLE) as table:
        official = OfficialNumbers(table["ops"])
        accuracy, latency, size = (table[name] for name in ("val_acc_200_cifar10", "lat_pixel3", "params_M"))
    with open_database(environment) as database, database.transaction() as session:
        rows = session.scalars(select(CandidateRow)).all()
    complete = [row for row in rows if row.status is CandidateStatus.COMPLETE]
    assert len(complete) == CANDIDATES
    for row in complete:
        number = official.number(Architecture.from_dict(row.architecture))
        assert row.metrics["accuracy"] == pytest.approx(accuracy[number] / 100, rel=1e-6)
        assert row.metrics["parameters"] == pytest.approx(size[number] * 1e6, rel=1e-6)
        # Two per cent of scatter, 30 inferences and more.
        assert row.metrics["latency_ms@virtual-pixel3"] == pytest.approx(latency[number], rel=0.05)
        low, high = row.intervals["latency_ms@virtual-pixel3"]
        assert low < row.metrics["latency_ms@virtual-pixel3"] < high


def test_a_limit_on_what_the_table_says_of_the_build_is_kept(
    searched: dict[str, Any], environment: dict[str, str]
) -> None:
    with open_database(environment) as database, database.transaction() as session:
        rows = session.scalars(select(CandidateRow)).all()
    refused = [row for row in rows if row.status is CandidateStatus.INFEASIBLE]
    assert refused and all(row.metrics["parameters"] > LIMIT for row in refused)
    assert all(row.metrics["parameters"] <= LIMIT for row in rows if row.status is CandidateStatus.COMPLETE)


def test_all_of_it_is_labelled_simulated(searched: dict[str, Any], environment: dict[str, str]) -> None:
    assert {member["simulated"] for member in searched["candidates"]} == {True}
    assert "(simulated phone)" in run(environment, "front", "tabular")
    assert "simulated" in run(environment, "phones")
    first = searched["candidates"][0]["id"]
    assert "(simulated)" in run(environment, "candidate", str(first))
    with open_database(environment) as database, database.transaction() as session:
        assert set(session.scalars(select(PhoneRow.simulated))) == {True}
        assert set(session.scalars(select(MeasurementRow.simulated))) == {True}
        done = session.execute(select(EvaluationRow.stage, EvaluationRow.details)).tuples()
        assert {details.get("simulated") for stage, details in done if stage in ("build", "train") and details} == {
            True
        }


def test_no_network_was_made_and_the_trainings_hours_are_the_tables(
    searched: dict[str, Any], environment: dict[str, str]
) -> None:
    with np.load(TABLE) as table:
        seconds = table["train_time_200_cifar10_s"]
    with open_database(environment) as database, database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(ArtifactRow)) == 0
        epochs = session.scalars(select(TrainingMetricsRow)).all()
    assert {row.epoch for row in epochs} == {200}
    assert all(seconds.min() * 0.999 <= row.duration_s <= seconds.max() * 1.001 for row in epochs)


def test_its_report_promises_no_network(searched: dict[str, Any], environment: dict[str, str], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    run(environment, "report", "tabular", "--out", str(page))
    text = page.read_text()
    assert "looked up in a table" in text
    assert "paretofarm finish" not in text and "paretofarm export" not in text
    assert all(f"{member['metrics']['accuracy']:.4f}" in text for member in searched["candidates"])
