"""What a recipe says, what comes before it, and what is stored of it."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from paretofarm.recipes import CLASSIFICATION
from paretofarm.recipes import SEGMENTATION as RECIPES
from paretofarm.training import ClassificationTraining, EarlyStop, SegmentationTraining

DATASET = {"type": "face_synthetics", "path": "data/faces", "size": 64}


def training(**keys: Any) -> SegmentationTraining:
    return SegmentationTraining.model_validate({"type": "segmentation", "dataset": DATASET, **keys})


def test_settings_start_from_archais_recipe() -> None:
    assert training() == training(recipe="archai")
    plain = SegmentationTraining.model_construct(type="segmentation", dataset=training().dataset)
    assert training() == plain, "every default is Archai's"


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_a_set_of_settings(name: str) -> None:
    settings = training(recipe=name, epochs=[30]).model_dump()
    assert {key: settings[key] for key in RECIPES[name]} == dict(RECIPES[name])


def test_keys_of_the_file_come_before_the_recipes() -> None:
    settings = training(recipe="strong", learning_rate=1e-3, ema_decay=None)
    assert (settings.learning_rate, settings.ema_decay) == (1e-3, None)
    assert settings.optimizer == "adamw"


@pytest.mark.parametrize("name", RECIPES)
def test_stored_settings_are_explicit_and_read_back_alike(name: str) -> None:
    settings = training(recipe=name, epochs=[5], weight_decay=0.25, early_stop={"patience_epochs": 3})
    stored = settings.model_dump(mode="json")
    assert set(RECIPES[name]) <= set(stored)
    assert SegmentationTraining.model_validate(stored) == settings


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(ValidationError, match="'archai' or 'strong'"):
        training(recipe="secret")


@pytest.mark.parametrize(("said", "meant"), [(True, "mirror"), (False, "none"), ("strong", "strong")])
def test_augmentation_of_earlier_files_is_read(said: Any, meant: str) -> None:
    assert training(augment=said).augment == meant


def test_what_searches_stored_before_there_were_recipes_reads_as_it_was_meant() -> None:
    stored = {
        **{"type": "segmentation", "dataset": {**DATASET, "limit": None}, "epochs": [1], "batch_size": 16},
        **{"learning_rate": 2e-4, "lr_schedule": "constant", "optimizer": "adam", "weight_decay": 0.0},
        **{"class_weights": "none", "augment": False, "amp": True},
    }
    assert SegmentationTraining.model_validate(stored) == training()


def test_more_quantized_epochs_than_there_are_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"quantization_aware\.epochs is 4, but there are 3 epochs"):
        training(epochs=[3], quantization_aware={"epochs": 4})


def test_a_relative_path_stays_relative() -> None:
    assert training(recipe="strong").dataset.path == Path("data/faces")


@pytest.mark.parametrize(
    ("course", "over"),
    [
        ([], False),
        ([0.1, 0.2], False),
        ([0.1, 0.5, 0.5, 0.505], True),
        ([0.1, 0.5, 0.5, 0.51], False),
        ([0.5, 0.2, 0.3], True),
    ],
)
def test_a_plateau_is_a_while_without_a_gain(course: list[float], over: bool) -> None:
    assert EarlyStop(patience_epochs=2, min_gain=0.01).reached(course) is over


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_a_classification_has_recipes_of_its_own(name: str) -> None:
    dataset = {"type": "idx", "path": "data/fashion", "size": 32}
    said = {"type": "classification", "dataset": dataset, "recipe": name, "epochs": [30]}
    settings = ClassificationTraining.model_validate(said)
    stored = settings.model_dump(mode="json")
    assert {key: stored[key] for key in CLASSIFICATION[name]} == dict(CLASSIFICATION[name])
    assert ClassificationTraining.model_validate(stored) == settings
    assert settings.augment == "none", "who has digits must not find them mirrored"
