"""What workers report of a tabular search, stage by stage."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tabular_claim import tabular_claim

from db.claim import Claim
from db.table_files import TableFiles
from paretofarm.errors import BuildFailed, DataError, TrainingDiverged
from paretofarm.lifecycle import Stage, Step
from workers.tabular import look_up

KNOWN, UNTRAINED = (0, 1, 2, 3, 4, 0), (1, 1, 1, 1, 1, 1)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.npz"
    np.savez(
        path,
        ops=np.array([KNOWN, UNTRAINED], dtype=np.uint8),
        acc12=np.array([60.0, np.nan]),
        acc200=np.array([90.0, np.nan]),
        seconds=np.array([1000.0, np.nan]),
        params_M=np.array([0.5, np.nan]),
    )
    return path


def claim(table: Path, step: Step, codes: tuple[int, ...] = KNOWN) -> Claim:
    training: dict[str, Any] = {
        "type": "tabular",
        "table": str(table),
        "epochs": [12, 200],
        "metrics": {"accuracy": [{"column": "acc12", "scale": 0.01}, {"column": "acc200", "scale": 0.01}]},
        "seconds": [{"column": "seconds", "scale": 0.06}, "seconds"],
        "build": {"parameters": {"column": "params_M", "scale": 1e6}},
    }
    return tabular_claim(training, step, codes)


def test_a_build_is_its_columns_in_the_metrics_unit(table: Path) -> None:
    report = look_up(claim(table, Step(Stage.BUILD)), TableFiles())
    assert (report.metrics, report.artifacts, report.simulated) == ({"parameters": 5e5}, (), True)


@pytest.mark.parametrize(("rung", "epoch", "accuracy", "seconds"), [(0, 12, 0.6, 60.0), (1, 200, 0.9, 940.0)])
def test_each_rung_has_a_column_and_costs_what_it_adds(
    table: Path, rung: int, epoch: int, accuracy: float, seconds: float
) -> None:
    report = look_up(claim(table, Step(Stage.TRAIN, rung=rung)), TableFiles())
    assert report.metrics == {"accuracy": pytest.approx(accuracy)}
    assert [(one.epoch, one.duration_s) for one in report.epochs] == [(epoch, pytest.approx(seconds))]
    assert report.simulated and report.details == {"simulated": True}


def test_there_is_nothing_to_compile(table: Path) -> None:
    report = look_up(claim(table, Step(Stage.COMPILE, device="virtual")), TableFiles())
    assert (report.metrics, report.artifacts, report.simulated) == ({}, (), True)


def test_what_nobody_has_measured_is_the_candidates_end(table: Path) -> None:
    with pytest.raises(BuildFailed, match="does not know parameters"):
        look_up(claim(table, Step(Stage.BUILD), UNTRAINED), TableFiles())
    with pytest.raises(TrainingDiverged, match="does not know acc12"):
        look_up(claim(table, Step(Stage.TRAIN, rung=0), UNTRAINED), TableFiles())


def test_a_table_that_is_not_there_stops_the_search_and_is_named(table: Path) -> None:
    missing = table.with_name("missing.npz")
    with pytest.raises(DataError, match=r"missing\.npz: No such file"):
        look_up(claim(missing, Step(Stage.BUILD)), TableFiles())


def test_a_table_is_read_once_and_again_where_it_has_changed(table: Path) -> None:
    files = TableFiles()
    look_up(claim(table, Step(Stage.BUILD)), files)
    table.write_bytes(b"broken")
    with pytest.raises(DataError, match=r"table\.npz: not an \.npz file"):
        look_up(claim(table, Step(Stage.BUILD)), files)
