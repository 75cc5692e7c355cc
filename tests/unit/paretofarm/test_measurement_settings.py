"""Which measured metrics an experiment may ask of which runtime."""

import pytest
from factories import make_experiment

from paretofarm.errors import ConfigError
from paretofarm.measurement import PROTOCOL_VERSION
from paretofarm.runtimes import OnnxRuntimeMeasurement

LATENCY = {"name": "latency_ms", "goal": "minimize", "device": "virtual"}
SUSTAINED = {**LATENCY, "name": "latency_sustained_ms"}
MEMORY = {**LATENCY, "name": "peak_memory_bytes"}
LOADING = {**LATENCY, "name": "load_ms"}


def test_sustained_latency_needs_a_sustained_run() -> None:
    with pytest.raises(ConfigError, match=r"latency_sustained_ms@virtual needs measurement\.sustained_s"):
        make_experiment(objectives=[SUSTAINED])
    measurement = {"runtime": "onnxruntime", "sustained_s": 600}
    experiment = make_experiment(objectives=[LATENCY, SUSTAINED], measurement=measurement)
    assert experiment.plan().objectives == ("latency_ms@virtual", "latency_sustained_ms@virtual")


@pytest.mark.parametrize("measurement", [{"runtime": "onnxruntime"}, {"runtime": "qnn", "socs": {"virtual": "SM8550"}}])
def test_memory_and_loading_can_be_asked_of_every_runner(measurement: dict[str, object]) -> None:
    assert len(make_experiment(objectives=[LATENCY, MEMORY, LOADING], measurement=measurement).objectives) == 3


def test_a_simulator_is_asked_for_neither() -> None:
    simulator = {"runtime": "qnn-sim", "socs": {"virtual": "SM8550"}}
    with pytest.raises(ConfigError, match="peak_memory_bytes@virtual: a simulator has no latency"):
        make_experiment(objectives=[MEMORY], measurement=simulator)


def test_times_of_another_protocol_are_not_compared() -> None:
    assert OnnxRuntimeMeasurement(runtime="onnxruntime").protocol_key == f"onnxruntime/{PROTOCOL_VERSION}/threads=1"


@pytest.mark.parametrize(
    "changes", [{"sustained_s": -1}, {"sustained_s": 7201}, {"max_rest_s": -1}, {"reuse": "sometimes"}]
)
def test_settings_have_limits(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"measurement.*{next(iter(changes))}"):
        make_experiment(measurement={"runtime": "onnxruntime", **changes})
