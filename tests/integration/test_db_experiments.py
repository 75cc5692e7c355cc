"""Searches: unique names, found by name or id, a life of running, stopped and finished."""

import pytest
from factories import make_experiment, store_experiment

from db import events, experiments
from db.experiments import ExperimentStatus
from db.session import Database
from db.tables import ExperimentRow
from paretofarm.errors import ConfigError, NotFound


def test_stored_search_is_what_the_file_said(database: Database) -> None:
    experiment = make_experiment(name="faces-demo")
    with database.transaction() as session:
        experiment_id = experiments.create(session, experiment, source="name: faces-demo # mine\n", code_version="1")
    with database.transaction() as session:
        stored = experiments.find(session, "faces-demo")
        assert stored == experiments.find(session, str(experiment_id))
        assert stored.experiment == experiment
        assert (stored.status, stored.finished_at) == (ExperimentStatus.RUNNING, None)
        assert stored.created_at.utcoffset() is not None
        row = session.get_one(ExperimentRow, experiment_id)
        assert (row.source, row.seed, row.devices) == ("name: faces-demo # mine\n", 7, ["virtual"])


def test_name_can_be_used_once(database: Database) -> None:
    with database.transaction() as session:
        store_experiment(session, name="faces-demo")
    with pytest.raises(ConfigError, match="'faces-demo' already"), database.transaction() as session:
        store_experiment(session, name="faces-demo")


@pytest.mark.parametrize(
    "wanted", ["faces-dmo", "999999999999999999", "9" * 40, "'; drop table events; --", "a\0b", ""]
)
def test_unknown_search_is_named_with_what_there_is(database: Database, wanted: str) -> None:
    with database.transaction() as session:
        store_experiment(session, name="faces-demo")
    with pytest.raises(NotFound, match="faces-demo") as caught, database.transaction() as session:
        experiments.find(session, wanted)
    assert repr(wanted) in caught.value.message


def test_no_search_at_all_is_said(database: Database) -> None:
    with pytest.raises(NotFound, match="there is none yet"), database.transaction() as session:
        experiments.find(session, "faces-demo")


def test_life_of_a_search(database: Database) -> None:
    with database.transaction() as session:
        search = store_experiment(session)
        assert not experiments.resume(session, search.id)
        assert experiments.stop(session, search.id)
        assert not experiments.stop(session, search.id)
        assert [stored.status for stored in experiments.active(session)] == [ExperimentStatus.STOPPED]
        assert experiments.resume(session, search.id)
        assert experiments.finish(session, search.id)
        assert not experiments.stop(session, search.id)
        assert experiments.active(session) == []
        [stored] = experiments.list_experiments(session)
        assert stored.status is ExperimentStatus.FINISHED and stored.finished_at is not None
        kinds = [event.kind for event in events.tail(session, experiment_id=search.id)]
        assert kinds == ["experiment_created", "experiment_stopped", "experiment_resumed", "experiment_finished"]
