"""The contract of trainings: of segmentation, of classification, out of a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_training import (
    classification_settings,
    small_classification,
    small_classifier,
    small_dataset,
    small_network,
    small_settings,
)
from tabular_claim import tabular_claim
from training_contract import TrainingBench, TrainingContract

from db.report import Report
from db.table_files import TableFiles
from paretofarm.errors import DataError, TrainingDiverged
from paretofarm.lifecycle import Stage, Step
from workers.datasets import Dataset
from workers.tabular import look_up
from workers.training import train

RUNGS = (1, 3)
KNOWN, UNTRAINED = (0, 1, 2, 3, 4, 0), (1, 1, 1, 1, 1, 1)


class TestSegmentation(TrainingContract):
    @pytest.fixture
    def bench(self) -> TrainingBench:
        dataset, settings = small_dataset(), small_settings(epochs=RUNGS)

        def trained(rung: int, *, seed: int = 1, dataset: Dataset = dataset, **files: Any) -> Mapping[str, float]:
            return train(small_network(), dataset, settings, epochs_total=RUNGS[rung], seed=seed, **files).metrics

        return TrainingBench(trained, lambda: trained(0, dataset=small_dataset(train=0)), DataError)


class TestClassification(TrainingContract):
    @pytest.fixture
    def bench(self) -> TrainingBench:
        dataset, settings = small_classification(), classification_settings(epochs=RUNGS)

        def trained(rung: int, *, seed: int = 1, dataset: Dataset = dataset, **files: Any) -> Mapping[str, float]:
            return train(small_classifier(), dataset, settings, epochs_total=RUNGS[rung], seed=seed, **files).metrics

        return TrainingBench(trained, lambda: trained(0, dataset=small_classification(train=0)), DataError)


class TestTabular(TrainingContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> TrainingBench:
        """Without files: a table knows every rung."""
        table = tmp_path / "table.npz"
        first, last = np.array([0.6, np.nan]), np.array([0.9, np.nan])
        np.savez(table, ops=np.array([KNOWN, UNTRAINED], dtype=np.uint8), first=first, last=last)

        def trained(rung: int, **ignored: Any) -> Mapping[str, float]:
            return told(table, rung).metrics

        return TrainingBench(trained, lambda: told(table, 1, UNTRAINED), TrainingDiverged)

    def test_it_is_labelled_simulated(self, tmp_path: Path, bench: TrainingBench) -> None:
        assert told(tmp_path / "table.npz", 0).simulated


def told(table: Path, rung: int, codes: tuple[int, ...] = KNOWN) -> Report:
    training = {
        "type": "tabular",
        "table": str(table),
        "epochs": list(RUNGS),
        "metrics": {"accuracy": ["first", "last"]},
    }
    return look_up(tabular_claim(training, Step(Stage.TRAIN, rung=rung), codes), TableFiles())
