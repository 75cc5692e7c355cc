"""Fronts found through a sample are the fronts of all, in two and three axes, with intervals too."""

import numpy as np
import pytest
from factories import store_experiment
from sqlalchemy import and_, insert

from db import contenders as module
from db import experiments
from db.axes import Axis
from db.columns import PointColumns
from db.contenders import contenders
from db.course import Course
from db.experiments import StoredExperiment
from db.point_front import feasible
from db.session import Database
from db.standings import standing
from db.status_board import StatusBoard
from db.tables import PointRow
from paretofarm import pareto
from paretofarm.doubt import undominated
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import Goal

NUMBER = 400
AXES = {
    2: (Axis("latency_ms", Goal.MINIMIZE), Axis("miou", Goal.MAXIMIZE)),
    3: (Axis("latency_ms", Goal.MINIMIZE), Axis("miou", Goal.MAXIMIZE), Axis("parameters", Goal.MINIMIZE)),
    1: (Axis("miou", Goal.MAXIMIZE),),
}


@pytest.fixture(autouse=True)
def small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLE", 20)


def store_points(database: Database, seed: int) -> tuple[StoredExperiment, np.ndarray]:
    """A search with candidates that have ended, many of them alike; their latency, mIoU and parameters."""
    rng = np.random.default_rng(seed)
    values = rng.integers(1, 40, size=(NUMBER, 3)).astype(float)
    values[:, 1] /= 50
    with database.transaction() as session:
        search = store_experiment(session)
        rows = [
            {
                "experiment_id": search.id,
                "device": "virtual",
                "number": number,
                "candidate_id": number + 1,
                "status": CandidateStatus.INFEASIBLE if number % 10 == 0 else CandidateStatus.COMPLETE,
                "generation": 0,
                "train_s": 1.0,
                "latency_ms": row[0],
                "latency_low_ms": row[0] * 0.9,
                "latency_high_ms": row[0] * 1.1,
                "miou": row[1],
                "parameters": row[2],
                "simulated": False,
                "noisy": False,
            }
            for number, row in enumerate(values.tolist())
        ]
        session.execute(insert(PointRow), rows)
    return search, values


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("with_intervals", [False, True])
def test_nobody_who_is_on_the_front_is_left_out(
    database: Database, seed: int, dimensions: int, with_intervals: bool
) -> None:
    search, values = store_points(database, seed)
    columns = PointColumns("virtual", ["virtual"])
    with database.transaction() as session:
        condition = and_(*feasible(search, "virtual", columns))
        found = contenders(session, AXES[dimensions], columns, condition, with_intervals=with_intervals)
    assert len(found.ids) < NUMBER * 0.75
    complete = np.array([number for number in range(NUMBER) if number % 10])
    chosen = [[1], [0, 1], [0, 1, 2]][dimensions - 1]
    everybody = values[complete][:, chosen] * [axis.sign for axis in AXES[dimensions]]
    expected = {int(complete[index]) + 1 for index in pareto.front(everybody)}
    assert {found.ids[index] for index in pareto.front(found.values)} == expected
    if with_intervals:
        spread = np.array([[0.1] if name == 0 else [0.0] for name in chosen]).T
        doubtful = undominated(everybody * (1 - spread), everybody * (1 + spread))
        shown = {found.ids[index] for index in undominated(found.lows, found.highs)}
        assert shown == {int(complete[index]) + 1 for index in doubtful}


def test_doubt_is_the_same_where_more_is_better(database: Database) -> None:
    """An interval's lower end is then the worst case."""
    search, values = store_points(database, 5)
    columns, axes = PointColumns("virtual", ["virtual"]), (Axis("latency_ms", Goal.MAXIMIZE), AXES[2][1])
    with database.transaction() as session:
        condition = and_(*feasible(search, "virtual", columns))
        found = contenders(session, axes, columns, condition, with_intervals=True)
    complete = np.array([number for number in range(NUMBER) if number % 10])
    everybody, spread = -values[complete][:, :2], np.array([[0.1, 0.0]])
    doubtful = undominated(everybody * (1 + spread), everybody * (1 - spread))
    shown = {found.ids[index] for index in undominated(found.lows, found.highs)}
    assert shown == {int(complete[index]) + 1 for index in doubtful}


def test_nobody_at_all(database: Database) -> None:
    with database.transaction() as session:
        search = store_experiment(session)
        columns = PointColumns("virtual", ["virtual"])
        found = contenders(session, AXES[2], columns, and_(*feasible(search, "virtual", columns)))
        assert found.ids == []
        assert standing(session, search, 0) == Course(search.id, search.experiment).standing(session)


def test_a_status_is_kept_for_ten_times_what_it_cost(database: Database) -> None:
    times = iter([0.0, 2.0, 10.0, 30.0, 30.0, 30.0, 31.0])
    board = StatusBoard(now=lambda: next(times))
    with database.transaction() as session:
        search = store_experiment(session)
        assert board.read(session, search).standing.front_size == 0  # takes 2 s by this clock: kept until 22
        assert board.read(session, search).standing.front_size == 0  # nothing has ended: the clock is not even asked
        experiments.change_limit(session, search.id, 99)
        changed = experiments.get(session, search.id)
        assert board.read(session, changed).search.experiment.stop.candidates == 99
