"""What every training promises, of networks or out of a table. Subclasses provide the fixture `bench`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from paretofarm.errors import ParetofarmError
from paretofarm.metrics import METRICS, Source


class Train(Protocol):
    def __call__(
        self, rung: int, *, seed: int = 1, resume_from: Path | None = None, save_to: Path | None = None
    ) -> Mapping[str, float]:
        """The metrics after a rung, from 0."""


@dataclass(frozen=True)
class TrainingBench:
    """hopeless: trains what cannot be trained, which is `error`."""

    train: Train
    hopeless: Callable[[], object]
    error: type[ParetofarmError]


class TrainingContract:
    def test_it_tells_trained_metrics_within_their_ranges(self, bench: TrainingBench) -> None:
        metrics = bench.train(0)
        assert metrics
        for name, value in metrics.items():
            assert METRICS[name].source is Source.TRAIN
            assert 0 <= value <= METRICS[name].maximum

    def test_the_same_seed_tells_the_same(self, bench: TrainingBench) -> None:
        assert bench.train(0, seed=5) == bench.train(0, seed=5)

    def test_a_resumed_rung_is_as_good_as_one_that_was_never_interrupted(
        self, bench: TrainingBench, tmp_path: Path
    ) -> None:
        checkpoint = tmp_path / "checkpoint"
        bench.train(0, save_to=checkpoint)
        resumed = bench.train(1, resume_from=checkpoint)
        assert resumed == bench.train(1)
        assert resumed != bench.train(0)

    def test_what_cannot_be_trained_is_an_error_of_its_own(self, bench: TrainingBench) -> None:
        with pytest.raises(bench.error):
            bench.hopeless()
