"""Experiment files: what is accepted, and what the one line says when something is not."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from paretofarm.errors import ConfigError
from paretofarm.experiment import Experiment, parse_experiment

EXAMPLES = Path(__file__).parents[3] / "examples"
DOCUMENT: dict[str, Any] = {
    "name": "faces-demo",
    "seed": 7,
    "search_space": {"type": "hourglass", "input_size": 64, "base_channels": [8, 16, 24]},
    "algorithm": {"type": "evolution_pareto", "initial": 12},
    "objectives": [
        {"name": "miou", "goal": "maximize"},
        {"name": "latency_ms", "goal": "minimize", "device": "virtual"},
    ],
    "constraints": [
        {"name": "parameters", "at_most": 5.0e7},
        {"name": "latency_ms", "device": "virtual", "at_most": 40},
    ],
    "training": {
        "type": "segmentation",
        "dataset": {"type": "face_synthetics", "path": "data/faces", "size": 64},
        "epochs": [1],
    },
    "measurement": {"runtime": "onnxruntime", "precision": "int8", "max_relative_ci": 0.05},
    "stop": {"candidates": 24},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """DOCUMENT with the value at a dotted path replaced; None removes it."""
    document = deepcopy(DOCUMENT)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = document
    for key in parents:
        place = place[key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return document


def refusal(document: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_experiment(document, "faces.yaml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_documented_example_is_accepted() -> None:
    experiment = parse_experiment(DOCUMENT, "faces.yaml")
    assert experiment.devices == ("virtual",)
    assert experiment.plan().measured_first
    assert experiment.plan().objectives == ("miou", "latency_ms@virtual")


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_example_is_accepted(file: Path) -> None:
    parse_experiment(yaml.safe_load(file.read_text()), file.name)


def test_accuracy_on_a_device_class_takes_a_training_and_no_latency() -> None:
    wanted = [{"name": "device_miou", "goal": "maximize", "device": "virtual"}]
    document = changed("objectives", wanted) | {"constraints": []}
    plan = parse_experiment(document, "faces.yaml").plan()
    assert (plan.devices, plan.measured, plan.scored, plan.rungs) == (("virtual",), (), ("virtual",), 1)
    del document["training"]
    assert "needs a `training:` section" in refusal(document)


def test_an_experiment_survives_storage_as_json() -> None:
    experiment = parse_experiment(DOCUMENT, "faces.yaml")
    assert Experiment.model_validate(experiment.model_dump(mode="json")) == experiment


def test_a_wrong_element_is_not_missing_too() -> None:
    message = refusal(changed("training.epochs", [0]))
    assert message == "faces.yaml: training.epochs.0 = 0: must be at least 1"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("seeed", 1, "faces.yaml: seeed: unknown key"),
        ("training.epoch", 3, "faces.yaml: training.epoch: unknown key"),
        ("stop", None, "faces.yaml: stop: is missing"),
        (
            "name",
            "Faces Demo",
            "name = 'Faces Demo': must be small letters, digits and single hyphens, beginning with a letter",
        ),
        (
            "search_space.type",
            "hourglas",
            "search_space.type = 'hourglas': must be one of 'hourglass', 'hourglass_mobile'",
        ),
        ("training.epochs", [3, 1], "faces.yaml: training.epochs: the rungs must increase"),
        ("training.dataset.size", 128, "training.dataset.size is 128, search_space.input_size is 64"),
        ("constraints.0.at_most", -1, "impossible: parameters is never at most -1"),
        ("constraints.1.device", None, "latency_ms differs between devices"),
        ("objectives.0.name", "iou", "unknown metric 'iou'"),
        ("training", None, "an objective or constraint on a trained metric needs a `training:` section"),
        ("measurement", None, "an objective or constraint on a device needs a `measurement:` section"),
        ("measurement.max_relative_ci", 0, "faces.yaml: measurement.max_relative_ci = 0: must be more than 0"),
        ("stop.candidates", 0, "faces.yaml: stop.candidates = 0: must be at least 1"),
        ("stop.candidates", 1.5, "faces.yaml: stop.candidates = 1.5: must be a whole number"),
        ("training.amp", "maybe", "faces.yaml: training.amp = 'maybe': must be true or false"),
        ("training.dataset.size", 17, "faces.yaml: training.dataset.size = 17: must be a multiple of 16"),
        ("training.dataset", "faces", "faces.yaml: training.dataset = 'faces': must have keys of its own"),
        ("search_space.ops", ["q"], "faces.yaml: search_space.ops.0 = 'q': must be 'conv3x3', 'conv5x5' or 'conv7x7'"),
        ("search_space.type", None, "faces.yaml: search_space.type: is missing"),
        ("objectives.1.device", "a b", "objectives.1.device = 'a b': must be letters, digits, `_`, `.` and `-`"),
        ("objectives", "miou", "faces.yaml: objectives = 'miou': must be a list"),
        ("objectives", [], "faces.yaml: objectives: must have at least 1"),
    ],
)
def test_a_wrong_file_gets_one_line_that_names_file_key_and_reason(path: str, value: Any, message: str) -> None:
    assert message in refusal(changed(path, value))


def test_the_same_objective_twice_is_refused() -> None:
    assert "miou is there more than once" in refusal(changed("objectives.1", {"name": "miou", "goal": "minimize"}))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"racing": {}, "objectives": DOCUMENT["objectives"][:1]}, "racing: no objective is latency_ms"),
        ({"predictor": {"screen": 0.02}, "constraints": []}, "predictor.screen: no constraint limits latency_ms"),
        ({"predictor": {"borrow": 5}}, "predictor.borrow: evolution_pareto has no model that could use it"),
        ({"final": {"recipe": "archaic"}}, "final.recipe = 'archaic': must be 'archai', 'strong' or 'search'"),
    ],
)
def test_what_would_come_to_nothing_is_refused(said: dict[str, Any], message: str) -> None:
    assert message in refusal({**DOCUMENT, **said})


def test_without_trained_metrics_nothing_is_trained() -> None:
    document = changed("objectives.0", {"name": "parameters", "goal": "minimize"})
    assert parse_experiment(document, "faces.yaml").plan().rungs == 0


def test_a_search_that_finds_little_is_bounded() -> None:
    assert parse_experiment(DOCUMENT, "faces.yaml").proposal_limit == 480
