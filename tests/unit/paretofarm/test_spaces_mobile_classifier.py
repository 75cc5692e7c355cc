"""The space of image classifiers: its choices, and what an experiment says of its task."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from paretofarm.errors import ConfigError
from paretofarm.experiment import Experiment, parse_experiment
from paretofarm.proxies import Proxy, study_networks, trial
from paretofarm.spaces import MobileClassifierSpace
from paretofarm.spaces.mobile_classifier import plan_classifier
from paretofarm.task import Task
from paretofarm.training import ClassificationTraining


def space(**changes: Any) -> MobileClassifierSpace:
    return MobileClassifierSpace.model_validate({"type": "mobile_classifier", "input_size": 32, **changes})


def test_the_size_is_the_product_of_its_parts() -> None:
    stage = 3 * 3 * 2 * (1 + 1 + 2 * 2)
    assert space().search_space().size() == 2 * 3 * 3 * (stage**3 + stage**4)


def test_expansion_and_squeeze_are_choices_of_inverted_bottlenecks_alone() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        choices = space().search_space().sample(rng).choices
        for number in range(1, 5):
            present = number <= int(choices["stages"])
            inverted = choices.get(f"stage{number}.op") == "mbconv"
            assert (f"stage{number}.layers" in choices) is present
            assert (f"stage{number}.expansion" in choices) is (f"stage{number}.squeeze" in choices) is inverted
    plain = space(ops=["conv", "dwsep"]).search_space()
    assert not any(choice.name.endswith((".expansion", ".squeeze")) for choice in plain.choices)


def test_a_plan_has_equal_layers_within_a_stage() -> None:
    settings = space(stages=[3], stage_layers=[2], widths=[1.5], ops=["mbconv"], squeeze=[True], kernels=[5])
    architecture = settings.search_space().sample(np.random.default_rng(0))
    plan = plan_classifier(settings, architecture)
    channels = int(architecture.choices["stem.channels"])
    for number, (first, second) in enumerate(plan.stages):
        assert first.op == second.op and first.op.startswith("mbconv5x5_e") and first.op.endswith("_se")
        assert (first.stride, second.stride) == (2 if number else 1, 1)
        assert first.in_channels == channels
        channels = first.out_channels
        assert channels == second.in_channels == second.out_channels and channels % 8 == 0
    assert plan.side == 32 // plan.stem_stride // 4


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"input_size": 24}, r"input size 24 must be divisible by 16 \(stem stride 2, then 3 times halved\)"),
        ({"head_channels": [60]}, r"channels \[60\] are not multiples of 8"),
        ({"kernels": [4]}, "kernels"),
        ({"squeeze": []}, "needs at least one value"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        space(**changes)


def experiment(**changes: Any) -> Experiment:
    document = {
        "name": "clothes",
        "search_space": {"type": "mobile_classifier", "input_size": 32},
        "algorithm": {"type": "random"},
        "objectives": [
            {"name": "accuracy", "goal": "maximize"},
            {"name": "device_accuracy", "goal": "maximize", "device": "virtual"},
            {"name": "latency_ms", "goal": "minimize", "device": "virtual"},
        ],
        "training": {"type": "classification", "dataset": {"type": "idx", "path": "data/fashion", "size": 32}},
        "measurement": {"runtime": "onnxruntime"},
        "stop": {"candidates": 8},
    }
    return parse_experiment({**document, **changes}, "a test")


def test_a_search_of_classifiers_knows_its_task() -> None:
    assert experiment().task is Task.CLASSIFICATION
    assert experiment(final={"epochs": 5}).final is not None


def test_its_networks_can_be_trained_in_cheaper_ways() -> None:
    studied = study_networks(experiment(), 3)
    cheaper = trial(experiment(), Proxy(epochs=1, share=0.5, size=16), studied, count=3, name="clothes-study")
    assert isinstance(cheaper.training, ClassificationTraining)
    assert (cheaper.training.dataset.size, cheaper.training.share) == (16, 0.5)
    assert cheaper.objectives[0].name == "accuracy"


FACES = {"type": "face_synthetics", "path": "data/faces", "size": 64}
HOURGLASS = {"type": "hourglass", "input_size": 64}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"objectives": [{"name": "miou", "goal": "maximize"}]},
            "objectives: a classification has no miou, but accuracy, f1, loss",
        ),
        (
            {"constraints": [{"name": "device_pixel_accuracy", "device": "virtual", "at_least": 0.5}]},
            "constraints: a classification has no device_pixel_accuracy, but device_accuracy, device_f1",
        ),
        (
            {"training": {"type": "segmentation", "dataset": {**FACES, "size": 32}}},
            "training.type is segmentation, but the networks of mobile_classifier are for classification",
        ),
        (
            {"search_space": HOURGLASS, "training": {"type": "segmentation", "dataset": FACES}},
            "objectives: a segmentation has no accuracy, but miou, f1, pixel_accuracy, loss",
        ),
        (
            {"training": {"type": "classification", "dataset": {**FACES, "size": 32}}},
            "training.dataset.type = 'face_synthetics': must be one of 'image_folder', 'idx'",
        ),
        (
            {"search_space": {"type": "mobile_classifier", "input_size": 64}},
            "training.dataset.size is 32, search_space.input_size is 64",
        ),
    ],
)
def test_what_does_not_go_together_is_one_line(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError) as error:
        experiment(**changes)
    assert complaint in str(error.value)
