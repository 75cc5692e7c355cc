"""What an experiment file may say about tables."""

from typing import Any

import pytest
from factories import make_experiment

from paretofarm.errors import ConfigError

TRAINING: dict[str, Any] = {
    "type": "tabular",
    "table": "table.npz",
    "epochs": [12, 200],
    "metrics": {"accuracy": ["acc12", {"column": "acc200", "scale": 0.01}]},
    "build": {"parameters": {"column": "params_M", "scale": 1e6}},
}
MEASUREMENT: dict[str, Any] = {
    "runtime": "tabular",
    "table": "table.npz",
    "latency_ms": {"virtual-pixel3": "lat_pixel3"},
}
DOCUMENT: dict[str, Any] = {
    "search_space": {"type": "nas_bench_201"},
    "objectives": [
        {"name": "accuracy", "goal": "maximize"},
        {"name": "latency_ms", "goal": "minimize", "device": "virtual-pixel3"},
    ],
    "constraints": [],
    "training": TRAINING,
    "measurement": MEASUREMENT,
}
REAL_TRAINING = {"type": "segmentation", "dataset": {"type": "face_synthetics", "path": "faces", "size": 64}}
LATENCY = {"name": "latency_ms", "goal": "minimize"}


def test_columns_are_named_with_or_without_a_scale_one_for_each_rung() -> None:
    training = make_experiment(**DOCUMENT).training
    assert training is not None and training.type == "tabular"
    assert [(column.column, column.scale) for column in training.metrics["accuracy"]] == [
        ("acc12", 1),
        ("acc200", 0.01),
    ]


def test_it_is_tabular_and_whatever_comes_of_it_simulated() -> None:
    experiment = make_experiment(**DOCUMENT)
    assert experiment.is_tabular
    assert experiment.measurement is not None and experiment.measurement.simulated
    assert not make_experiment().is_tabular


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"training": {**TRAINING, "epochs": [200]}}, "accuracy needs a column for each of the 1 epochs, not 2"),
        ({"training": {**TRAINING, "seconds": ["s"]}}, "seconds needs a column for each of the 2 epochs, not 1"),
        ({"training": {**TRAINING, "build": {"miou": "m"}}}, "miou: the build stage has parameters, macs"),
        ({"training": {**TRAINING, "metrics": {"macs": ["a", "b"]}}}, "macs: the train stage has miou, f1"),
        ({"training": REAL_TRAINING}, "training and measurement are both tabular, or neither is"),
        ({"training": None, "measurement": None, "objectives": [{"name": "macs", "goal": "minimize"}]}, "tables alone"),
        ({"constraints": [{"name": "macs", "at_most": 1e9}]}, "macs: name its column in training.build"),
        ({"constraints": [{"name": "miou", "at_least": 0.1}]}, "miou: name its column in training.metrics"),
        ({"objectives": [{**LATENCY, "device": "pixel3"}]}, "pixel3 may not pass for a phone"),
        ({"objectives": [{**LATENCY, "device": "virtual"}]}, "name the column of virtual in measurement.latency_ms"),
        (
            {"objectives": [{**LATENCY, "name": "load_ms", "device": "virtual-pixel3"}]},
            "a table tells latency_ms and latency_p90_ms only",
        ),
        (
            {"objectives": [{**LATENCY, "name": "network_bytes", "device": "virtual-pixel3"}]},
            "there is no network to compile or to score",
        ),
    ],
)
def test_what_a_table_cannot_tell_is_refused_with_the_key_to_change(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        make_experiment(**{**DOCUMENT, **changes})
