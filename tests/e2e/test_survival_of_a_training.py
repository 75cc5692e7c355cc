"""A long training whose worker is killed with `kill -9`, five times at random: it ends as if nothing had happened."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from services import wait_until
from sqlalchemy import func, select
from test_survival import TIME_LIMIT_S, Search, document, running_search

from cli.stack import supervisor
from db.tables import CandidateRow, EvaluationRow, EventRow, TrainingMetricsRow
from paretofarm.experiment import parse_experiment
from paretofarm.lifecycle import CandidateStatus, Stage
from workers import jobs

EPOCHS = 40
KILLS = 5
TRAINING = {"recipe": "strong", "epochs": [EPOCHS], "learning_rate": 3e-3}


def overrides(folder: Path) -> dict[str, Any]:
    """One network, trained with all that a training can have to remember."""
    experiment = parse_experiment(document(folder / "faces"), "a test")
    network = experiment.search_space.search_space().sample(np.random.default_rng(1))
    training = {**experiment.model_dump(mode="json")["training"], **TRAINING}
    return {
        "algorithm": {"type": "listed", "architectures": [network.to_dict()]},
        "objectives": [{"name": "miou", "goal": "maximize"}],
        "measurement": None,
        "training": {key: training[key] for key in ("type", "dataset", *TRAINING)},
        "stop": {"candidates": 1},
    }


def epochs(search: Search) -> int:
    with search.database.transaction() as session:
        return session.scalar(select(func.max(TrainingMetricsRow.epoch))) or 0


def got_further(search: Search, seen: int) -> bool:
    return epochs(search) > seen


@pytest.fixture(scope="module")
def survivor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Search]]:
    """A search of one network that is over, and the folder of its data set."""
    folder, dice = tmp_path_factory.mktemp("farm"), random.Random(5)
    with (
        pytest.MonkeyPatch.context() as patch,
        running_search(folder, settings={"PARETOFARM_CHECKPOINT_SECONDS": "0.1"}, **overrides(folder)) as search,
    ):
        patch.setattr(supervisor, "BACKOFF_S", (0.2,))  # a worker that ends that often would be waited for
        for _ in range(KILLS):
            seen = epochs(search)
            wait_until(partial(got_further, search, seen), TIME_LIMIT_S, "another epoch")
            time.sleep(dice.uniform(0, 0.5))  # not for anything: the moment of the kill shall be any
            search.kill("worker")
        assert not search.is_finished(), "the training was over before its worker was killed for the last time"
        wait_until(search.is_finished, TIME_LIMIT_S, "the end of the search")
        yield folder, search


def test_it_ends_with_what_an_undisturbed_training_ends_with(survivor: tuple[Path, Search], tmp_path: Path) -> None:
    folder, search = survivor
    with search.database.transaction() as session:
        row = session.scalars(select(CandidateRow)).one()
    assert row.status is CandidateStatus.COMPLETE
    experiment = parse_experiment({**document(folder / "faces"), **overrides(folder)}, "a test")
    assert experiment.training is not None
    torch.set_num_threads(1)
    parameters = {
        "space": experiment.search_space.model_dump(mode="json"),
        "architecture": row.architecture,
        "training": experiment.training.model_dump(mode="json"),
        "seed": experiment.seed,
        "rung": 0,
        "checkpoint": None,
        "device": "cpu",
        "cache": str(tmp_path / "cache"),
        "out": str(tmp_path),
    }
    undisturbed = jobs.train_network(parameters, lambda message: None)
    assert {name: row.metrics[name] for name in undisturbed["metrics"]} == pytest.approx(undisturbed["metrics"])


def test_every_epoch_is_recorded_once_and_the_training_was_begun_six_times(survivor: tuple[Path, Search]) -> None:
    _, search = survivor
    with search.database.transaction() as session:
        recorded = Counter(session.scalars(select(TrainingMetricsRow.epoch)))
        training = session.scalars(select(EvaluationRow).where(EvaluationRow.stage == Stage.TRAIN)).one()
        claims = session.scalar(
            select(func.count()).where(EventRow.kind == "evaluation_claimed", EventRow.evaluation_id == training.id)
        )
    assert recorded == Counter(range(1, EPOCHS + 1))
    assert (training.attempt, claims) == (KILLS + 1, KILLS + 1)


def test_what_was_done_was_not_done_again(survivor: tuple[Path, Search]) -> None:
    """Each attempt begins where a checkpoint was kept: the log says from which epoch on it trained."""
    _, search = survivor
    log = search.farm.stack.folder.log("worker").read_text()
    done = Counter(
        int(line.partition(" epoch ")[2].partition(":")[0]) for line in log.splitlines() if " epoch " in line
    )
    assert sum(done.values()) < EPOCHS + 2 * KILLS
