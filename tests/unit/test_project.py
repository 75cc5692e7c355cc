"""What holds for the project as a whole."""

from collections.abc import Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from paretofarm.experiment import parse_experiment

ROOT = Path(__file__).parents[2]
PACKAGES = ("cli", "dashboard", "db", "device_agents", "paretofarm", "scheduler", "workers")
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


@pytest.mark.parametrize("package", PACKAGES)
def test_each_top_level_package_has_one_owner(package: str) -> None:
    """`db` or `cli` of somebody else's in the same environment would be imported instead of ours, or with it."""
    owners: Mapping[str, list[str]] = packages_distributions()
    assert set(owners.get(package, [])) == {"paretofarm"}


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_every_example_is_an_experiment(file: Path) -> None:
    experiment = parse_experiment(yaml.safe_load(file.read_text()), file.name)
    assert experiment.search_space.search_space().size() > experiment.stop.candidates


def test_there_are_examples() -> None:
    assert {file.name for file in EXAMPLES} >= {"faces_demo.yaml", "face_segmentation.yaml", "brain_demo.yaml"}


def test_archais_setting_is_archais_space() -> None:
    """Defaults and the full example must not drift apart."""
    document = yaml.safe_load((ROOT / "examples/face_segmentation.yaml").read_text())
    experiment = parse_experiment(document, "face_segmentation.yaml")
    defaults = type(experiment.search_space).model_validate({"type": "hourglass", "input_size": 256})
    assert experiment.search_space == defaults
