"""The SoC table, and what an experiment on Qualcomm's HTP may ask for."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from paretofarm.errors import ConfigError
from paretofarm.experiment import Experiment, parse_experiment
from paretofarm.runtimes import QnnMeasurement, QnnSimMeasurement
from paretofarm.soc import SOCS, find_soc

EXAMPLES = Path(__file__).parents[3] / "examples"


def document(device: str, metric: str, **measurement: Any) -> dict[str, Any]:
    found = deepcopy(yaml.safe_load((EXAMPLES / "face_segmentation.yaml").read_text()))
    found["objectives"] = [
        {"name": "miou", "goal": "maximize"},
        {"name": metric, "goal": "minimize", "device": device},
    ]
    del found["racing"]  # which is for latencies
    return found | {"measurement": measurement}


def parsed(device: str, metric: str = "latency_ms", **measurement: Any) -> Experiment:
    return parse_experiment(document(device, metric, **measurement), "my.yaml")


@pytest.mark.parametrize("name", ["SM8550", "sm8550", "sm8550-ab", "SM8550P", "kalama", "Snapdragon 8 Gen 2"])
def test_a_soc_is_found_by_whatever_a_phone_or_a_person_calls_it(name: str) -> None:
    soc = find_soc(name)
    assert soc is not None
    assert (soc.name, soc.hexagon, soc.soc_model) == ("SM8550", "V73", 43)


@pytest.mark.parametrize("name", ["virtual", "sm9999", "exynos-2400", "unknown", ""])
def test_what_is_no_known_soc_is_not_found(name: str) -> None:
    assert find_soc(name) is None


def test_names_and_aliases_are_unique() -> None:
    names = [name for soc in SOCS for name in (soc.name.lower(), *soc.aliases)]
    assert len(names) == len(set(names))


def test_the_first_htp_has_no_float16() -> None:
    assert {soc.fp16 for soc in SOCS if soc.arch == 68} == {False}
    assert {soc.fp16 for soc in SOCS if soc.arch > 68} == {True}


def test_a_device_class_that_is_called_like_its_soc_needs_no_mapping() -> None:
    measurement = parsed("sm8350", runtime="qnn").measurement
    assert isinstance(measurement, QnnMeasurement)
    soc = measurement.soc("sm8350")
    assert soc is not None
    assert soc.name == "SM8350"


def test_a_device_class_of_any_name_can_be_mapped() -> None:
    measurement = parsed("lab-phones", runtime="qnn", socs={"lab-phones": "SM8650"}).measurement
    assert isinstance(measurement, QnnMeasurement)
    soc = measurement.soc("lab-phones")
    assert soc is not None
    assert soc.arch == 75


def test_an_unknown_soc_is_refused_when_the_file_is_read_and_the_known_ones_are_named() -> None:
    with pytest.raises(ConfigError, match=r"my.yaml: .*device class lab-phones is no known SoC.*SM8350 \(V68\)"):
        parsed("lab-phones", runtime="qnn")


def test_a_mapping_to_an_unknown_soc_is_refused_with_its_key() -> None:
    with pytest.raises(ConfigError, match=r"measurement.socs: unknown SoC 'SM1' of lab.*SM8850 \(V81\)"):
        parsed("lab", runtime="qnn", socs={"lab": "SM1"})


def test_a_simulator_has_no_latency() -> None:
    with pytest.raises(ConfigError, match=r"runtime qnn-sim: latency_ms@sm8550: a simulator has no latency"):
        parsed("sm8550", runtime="qnn-sim")


def test_a_simulator_may_tell_accuracy_and_whatever_it_tells_is_simulated() -> None:
    experiment = parsed("sm8550", "network_bytes", runtime="qnn-sim")
    assert isinstance(experiment.measurement, QnnSimMeasurement)
    assert experiment.measurement.simulated
    assert experiment.plan().measured == ()


def test_times_of_different_performance_profiles_are_not_compared() -> None:
    keys = {QnnMeasurement(runtime="qnn", perf_profile=profile).protocol_key for profile in ("burst", "balanced")}
    assert keys == {"qnn/2/burst", "qnn/2/balanced"}
