"""What a report may hold."""

import json
import math

import pytest

from db.plain_json import dumps
from db.report import Report


def test_metrics_measured_on_a_device_get_its_name() -> None:
    report = Report(metrics={"latency_ms": 3.0, "parameters": 7}, intervals={"latency_ms": (2.9, 3.1)})
    assert report.keyed_metrics("virtual") == {"latency_ms@virtual": 3.0, "parameters": 7}
    assert report.keyed_intervals("virtual") == {"latency_ms@virtual": [2.9, 3.1]}


@pytest.mark.parametrize("report", [{"metrics": {"miou": math.nan}}, {"intervals": {"latency_ms": (1, math.inf)}}])
def test_metrics_are_finite(report: dict[str, dict[str, float]]) -> None:
    with pytest.raises(ValueError, match="finite"):
        Report(**report)  # type: ignore[arg-type]


def test_unknown_metric_is_a_bug() -> None:
    with pytest.raises(ValueError, match="unknown metric 'charm'"):
        Report(metrics={"charm": 1.0})


def test_nan_in_details_becomes_null() -> None:
    details = {"per_class": {"hair": 0.5, "beard": math.nan}, "list": (1, math.inf)}
    assert json.loads(dumps(details)) == {"per_class": {"hair": 0.5, "beard": None}, "list": [1, None]}
