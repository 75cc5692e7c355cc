"""How well latencies are predicted, for people and scripts."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

from cli.tables import print_table
from db.latencies import LatencyGroup
from paretofarm.described import Inputs
from paretofarm.sensitivity import NORMAL_QUANTILE
from paretofarm.shared_latency import pace
from paretofarm.surrogates.forecasts import Quality, judge_forecasts


@dataclass(frozen=True)
class PredictorReport:
    """The predictor of one device class over one space."""

    group: LatencyGroup
    quality: Quality

    def to_json(self) -> dict[str, Any]:
        told = pace(self.group.experiment) or {}
        return {
            "device": self.group.device,
            "simulated": self.group.simulated,
            "space": told.get("space"),
            "measurement": told.get("measurement"),
            "searches": list(self.group.searches),
            **asdict(self.quality),
        }


def judge_predictors(groups: Sequence[LatencyGroup]) -> list[PredictorReport]:
    """Takes seconds for thousands of measurements."""
    return [PredictorReport(group, _judge(group)) for group in groups]


def print_predictors(reports: Sequence[PredictorReport]) -> None:
    """A row for each device class and space."""
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("device", "space", "runtime"):
        table.add_column(name)
    for name in ("measurements", "judged", "MAPE", "median", "Kendall's tau", "in 95 % interval"):
        table.add_column(name, justify="right")
    for report in reports:
        table.add_row(*_cells(report))
    print_table(table, less_important=["runtime", "judged"])


def _judge(group: LatencyGroup) -> Quality:
    space = group.experiment.search_space.search_space()
    inputs = Inputs.of([space.described.row(each.architecture) for each in group.latencies])
    values = np.array([each.latency_ms for each in group.latencies])
    widths = np.array([each.high_ms - each.low_ms for each in group.latencies])
    return judge_forecasts(inputs, values, widths / (2 * NORMAL_QUANTILE))


def _cells(report: PredictorReport) -> tuple[str, ...]:
    group, quality = report.group, report.quality
    device = f"{group.device} (simulated)" if group.simulated else group.device
    measurement = group.experiment.measurement
    runtime = measurement.runtime if measurement else ""
    names = (device, _space(group), runtime, str(quality.measurements), str(quality.judged))
    if quality.mape is None or quality.median_ape is None or quality.tau is None or quality.coverage is None:
        return (*names, "-", "-", "-", "-")
    errors = (f"{quality.mape:.1%}", f"{quality.median_ape:.1%}")
    return (*names, *errors, f"{quality.tau:.2f}", f"{quality.coverage:.0%}")


def _space(group: LatencyGroup) -> str:
    """Its type, and what the file says of it."""
    said = group.experiment.search_space.model_dump(mode="json", exclude_defaults=True)
    others = {name: value for name, value in said.items() if name != "type"}
    kind = group.experiment.search_space.type
    return f"{kind} {json.dumps(others)}" if others else kind
