"""Searches that belong together: a random control at equal cost, and one that begins with what another found."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from factories import DOCUMENT, make_experiment
from sqlalchemy import func, select
from test_scheduler import SPACE, Farm

from db import experiments
from db.experiment_text import ExperimentFile
from db.experiments import ExperimentStatus
from db.hypervolume import hypervolume
from db.search_deletion import extent
from db.search_start import begin_search
from db.tables import CandidateRow, ExperimentRow
from paretofarm.errors import ConfigError, Conflict
from paretofarm.lifecycle import CandidateStatus

EVOLUTION = {"type": "evolution_pareto", "initial": 4}


@pytest.fixture
def farm(database_url: str, broker_url: str) -> Iterator[Farm]:
    with closing(Farm(database_url, broker_url, algorithm=EVOLUTION, control="random")) as farm:
        yield farm


def complete(farm: Farm, name: str) -> int:
    query = select(func.count()).select_from(CandidateRow).join(ExperimentRow)
    query = query.where(ExperimentRow.name == name, CandidateRow.status == CandidateStatus.COMPLETE)
    with farm.database.transaction() as session:
        return session.scalar(query) or 0


def test_a_search_and_its_control_complete_as_many_candidates(farm: Farm) -> None:
    farm.run_to_the_end()
    assert (complete(farm, "demo"), complete(farm, "demo-control")) == (5, 5)
    with farm.database.transaction() as session:
        control = experiments.find(session, "demo-control")
        origins = session.scalars(select(CandidateRow.origin).where(CandidateRow.experiment_id == control.id)).all()
        digests = session.execute(select(CandidateRow.experiment_id, CandidateRow.digest)).all()
    assert (control.control_of, control.status) == ("demo", ExperimentStatus.FINISHED)
    assert set(origins) == {"random"}
    own = {digest for search, digest in digests if search == farm.id}
    assert not own & {digest for search, digest in digests if search == control.id}


def test_both_are_stopped_resumed_and_given_more_together(farm: Farm) -> None:
    farm.scheduler.tick()
    statuses = []
    for change in (experiments.stop, experiments.resume):
        with farm.database.transaction() as session:
            change(session, farm.id)
            statuses.append(experiments.find(session, "demo-control").status)
    assert statuses == [ExperimentStatus.STOPPED, ExperimentStatus.RUNNING]
    with farm.database.transaction() as session:
        experiments.change_limit(session, farm.id, 7)
        assert experiments.find(session, "demo-control").experiment.stop.candidates == 7


def test_what_is_deleted_with_a_search_is_its_control_too(farm: Farm) -> None:
    with farm.database.transaction() as session, pytest.raises(Conflict, match="is running"):
        extent(session, "demo")
    farm.run_to_the_end()
    with farm.database.transaction() as session:
        assert extent(session, "demo").candidates == 10
        assert extent(session, "demo-control").candidates == 5


def test_the_course_of_the_hypervolume_finds_the_control(farm: Farm) -> None:
    with farm.database.transaction() as session:
        experiments.change_limit(session, farm.id, 9)
    for round_ in range(60):
        farm.scheduler.tick()
        if not farm.work(miou=0.3 + 0.01 * (round_ % 7), latency_ms=3.0 + (round_ * 5 % 11)):
            break
    farm.scheduler.tick()
    with farm.database.transaction() as session:
        found = hypervolume(session, experiments.get(session, farm.id))
    assert found.own is not None
    assert (found.own.search, found.own.evaluations) == ("demo", 9)
    assert [(curve.search, curve.evaluations) for curve in found.controls] == [("demo-control", 9)]


def test_a_name_that_is_taken_leaves_neither_behind(farm: Farm) -> None:
    with pytest.raises(ConfigError, match="already"), farm.database.transaction() as session:
        taken = make_experiment(name="other-control")
        experiments.create(session, taken, source="", code_version="test")
        twin = make_experiment(name="other", algorithm=EVOLUTION, control="random")
        experiments.create(session, twin, source="", code_version="test")
    with farm.database.transaction() as session:
        assert session.scalar(select(func.count()).where(ExperimentRow.name.like("other%"))) == 0


def begin(farm: Farm, **overrides: Any) -> int:
    document = {**DOCUMENT, "search_space": SPACE, "stop": {"candidates": 4}, "in_flight": 2, **overrides}
    experiment = make_experiment(**document)
    return begin_search(farm.database, ExperimentFile(Path("later.yaml"), "", experiment), "test").search.id


def test_the_best_of_an_earlier_search_are_proposed_first_and_evaluated_again(farm: Farm) -> None:
    farm.run_to_the_end()
    later = begin(farm, name="later", warm_start={"search": "demo", "best": 3})
    farm.run_to_the_end()
    with farm.database.transaction() as session:
        query = select(CandidateRow).where(CandidateRow.experiment_id == later).order_by(CandidateRow.number)
        rows = session.scalars(query).all()
        earlier = set(session.scalars(select(CandidateRow.digest).where(CandidateRow.experiment_id == farm.id)))
    assert [row.origin for row in rows] == ["seed"] * 3 + ["random"]
    assert all(row.digest in earlier for row in rows[:3])
    assert all(row.status is CandidateStatus.COMPLETE and row.metrics["miou"] == 0.5 for row in rows)


def test_a_search_begins_with_what_it_knows_though_it_has_children_of_others(farm: Farm) -> None:
    """Parents of another search are not told as if they were of this one."""
    farm.run_to_the_end()
    warm = {"search": "demo", "best": 0}
    later = begin(farm, name="later", algorithm={"type": "evolution_pareto", "initial": 1}, warm_start=warm)
    farm.run_to_the_end()
    with farm.database.transaction() as session:
        query = select(CandidateRow).where(CandidateRow.experiment_id == later).order_by(CandidateRow.number)
        rows = session.scalars(query).all()
    assert len(rows) == 4
    assert all(0 <= parent < row.number for row in rows for parent in row.parents)


def test_an_earlier_search_must_be_there_and_over_the_same_space(farm: Farm) -> None:
    with pytest.raises(ConfigError, match=r"warm_start.search: there is no search 'nobody'"):
        begin(farm, name="later", warm_start={"search": "nobody"})
    other = {"type": "hourglass", "input_size": 64, "base_channels": [8]}
    with pytest.raises(ConfigError, match="demo is over another search space"):
        begin(farm, name="later", search_space=other, warm_start={"search": "demo"})
