"""Which searches' latencies can be compared."""

from typing import Any

import pytest
from factories import DOCUMENT, make_architecture, make_experiment

from paretofarm.shared_latency import MeasuredLatency, newest, pace

MEASUREMENT = DOCUMENT["measurement"]


@pytest.mark.parametrize(
    "overrides",
    [
        {"name": "other", "seed": 8, "algorithm": {"type": "local_search"}},
        {"measurement": {**MEASUREMENT, "max_blocks": 20, "reuse": False, "calibration": "mse"}},
        {"training": {**DOCUMENT["training"], "epochs": [9]}},
        {"constraints": []},
    ],
    ids=["name and algorithm", "how long it is measured", "training", "limits"],
)
def test_what_does_not_change_the_pace_does_not_matter(overrides: dict[str, Any]) -> None:
    assert pace(make_experiment(**overrides)) == pace(make_experiment())


@pytest.mark.parametrize(
    "overrides",
    [
        {"measurement": {**MEASUREMENT, "threads": 4}},
        {"measurement": {**MEASUREMENT, "precision": "fp32"}},
        {"search_space": {**DOCUMENT["search_space"], "base_channels": [8, 16]}},
        {
            "training": {
                "type": "segmentation",
                "dataset": {"type": "image_mask_folder", "path": "data/mine", "size": 64},
            }
        },
    ],
    ids=["threads", "precision", "space", "classes"],
)
def test_what_changes_the_pace_does(overrides: dict[str, Any]) -> None:
    assert pace(make_experiment(**overrides)) != pace(make_experiment())


def test_nothing_is_measured_where_nothing_is_asked_of_a_device() -> None:
    miou = [{"name": "miou", "goal": "maximize"}]
    assert pace(make_experiment(objectives=miou, measurement=None)) is None


def test_of_several_measurements_of_one_network_on_one_device_class_the_newest_counts() -> None:
    one, other = make_architecture(), make_architecture()

    def measured(number: int, architecture: Any, device: str = "a") -> MeasuredLatency:
        return MeasuredLatency(number, device, architecture, 1.0, 0.9, 1.1, True, "demo")

    found = newest([measured(7, one), measured(3, one), measured(5, other), measured(4, one, "b")])
    assert [each.id for each in found] == [4, 5, 7]
