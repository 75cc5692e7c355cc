"""The search that trains another one's best networks to the end: begun by the scheduler, or by hand."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import delete, select
from test_scheduler import Farm

from db import events, experiments, leases, search_deletion
from db.artifact import StoredArtifact
from db.experiments import ExperimentStatus, StoredExperiment
from db.finishing import begin_final
from db.report import Report
from db.tables import CandidateRow, EvaluationRow, ExperimentRow
from db.teacher import first_trained
from paretofarm.errors import BuildFailed, ConfigError
from paretofarm.final import Final
from paretofarm.lifecycle import EvaluationStatus, Stage
from paretofarm.training import SegmentationTraining

FINAL = {"epochs": 4, "recipe": "search"}


@pytest.fixture
def farm(database_url: str, broker_url: str) -> Iterator[Farm]:
    with closing(Farm(database_url, broker_url, final=FINAL)) as farm:
        yield farm


def work(farm: Farm) -> None:
    """Until nothing is left to do; each candidate is more accurate and slower than the one before."""
    for round_ in range(100):
        farm.scheduler.tick()
        farm.scheduler.tick()
        done = farm.work(Stage.BUILD, Stage.COMPILE)
        done += farm.work(Stage.TRAIN, miou=0.3 + 0.01 * round_)
        done += farm.work(Stage.MEASURE, latency_ms=3.0 + round_)
        done += farm.work(Stage.SCORE)
        if not done:
            return


def find(farm: Farm, name: str) -> StoredExperiment:
    with farm.database.transaction() as session:
        return experiments.find(session, name)


def begin(farm: Farm, *, name: str | None = None, **final: Any) -> StoredExperiment:
    with farm.database.transaction() as session:
        search = experiments.get(session, farm.id)
        return begin_final(session, search, Final.model_validate({**FINAL, **final}), name=name)


def digests(farm: Farm, search: StoredExperiment) -> set[str]:
    with farm.database.transaction() as session:
        return set(session.scalars(select(CandidateRow.digest).where(CandidateRow.experiment_id == search.id)))


def test_a_search_is_followed_by_the_training_of_its_front_and_both_end(farm: Farm) -> None:
    work(farm)
    final = find(farm, "demo-final")
    assert (farm.search().status, final.status) == (ExperimentStatus.FINISHED, ExperimentStatus.FINISHED)
    assert (final.final_of, final.experiment.stop.candidates) == ("demo", len(digests(farm, final)))
    assert isinstance(final.experiment.training, SegmentationTraining)
    assert final.experiment.training.epochs == (4,)
    assert digests(farm, final) <= digests(farm, farm.search())
    with farm.database.transaction() as session:
        rows = session.scalars(select(CandidateRow).where(CandidateRow.experiment_id == final.id)).all()
    assert {row.origin for row in rows} == {"listed"}
    assert all(row.metrics["device_miou@virtual"] == 0.4 for row in rows)


def test_the_same_once_more_is_the_one_that_is_there(farm: Farm) -> None:
    work(farm)
    known = find(farm, "demo-final")
    assert begin(farm).id == begin(farm, name="demo-final").id == known.id


def test_another_one_gets_another_name(farm: Farm) -> None:
    work(farm)
    assert begin(farm, epochs=5).name == "demo-final-2"
    assert begin(farm, epochs=5).name == "demo-final-2"
    assert begin(farm, epochs=6).name == "demo-final-3"
    assert begin(farm, epochs=6, name="mine").name == "mine"
    with pytest.raises(ConfigError, match="already"):
        begin(farm, epochs=7, name="mine")


def test_a_search_that_is_asked_for_more_is_finished_anew_where_its_front_has_changed(farm: Farm) -> None:
    work(farm)
    with farm.database.transaction() as session:
        experiments.change_limit(session, farm.id, 9)
    work(farm)
    assert find(farm, "demo-final-2").status is ExperimentStatus.FINISHED
    assert digests(farm, find(farm, "demo-final")) != digests(farm, find(farm, "demo-final-2"))


def test_a_search_without_any_success_says_so_and_has_no_end(farm: Farm) -> None:
    for _ in range(200):
        farm.scheduler.tick()
        if not farm.work(error=BuildFailed("no")):
            break
    with farm.database.transaction() as session:
        assert experiments.final_ids(session, farm.id) == []
        told = [event.details for event in events.tail(session, experiment_id=farm.id, limit=100)]
    assert {"remark": "demo has no complete and feasible candidate: there is nothing to finish"} in told


def test_an_end_outlives_its_search(farm: Farm) -> None:
    work(farm)
    with farm.database.transaction() as session:
        assert search_deletion.extent(session, "demo").candidates == 5
        session.execute(delete(ExperimentRow).where(ExperimentRow.id == farm.id))
    assert find(farm, "demo-final").final_of is None


def test_the_largest_is_trained_first_and_alone_and_teaches_the_others(farm: Farm) -> None:
    work(farm)
    final = begin(farm, training={"distillation": {"weight": 0.5}}, members=3)
    farm.scheduler.tick()
    farm.scheduler.tick()
    with farm.database.transaction() as session:
        first = session.scalars(select(CandidateRow).where(CandidateRow.experiment_id == final.id)).one()
        assert first_trained(session, final.id, "checkpoint") is None
    for _ in range(20):
        farm.scheduler.tick()
        store_checkpoint(farm)
        if not farm.work():
            break
    assert len(digests(farm, final)) == 3
    with farm.database.transaction() as session:
        teacher = first_trained(session, final.id, "checkpoint")
    assert teacher is not None
    assert (teacher.architecture.digest, teacher.artifact.sha256) == (first.digest, "c" * 64)


def store_checkpoint(farm: Farm) -> None:
    """Whatever trains now leaves one."""
    with farm.database.transaction() as session:
        training = EvaluationRow.stage == Stage.TRAIN, EvaluationRow.status == EvaluationStatus.QUEUED
        for row in session.scalars(select(EvaluationRow).where(*training)).all():
            claim = leases.claim(session, row.id, row.attempt, owner="test", lease_s=60)
            assert claim is not None
            artifacts = [StoredArtifact("c" * 64, "checkpoint", 10, "file:///c")]
            leases.report(session, claim, Report(metrics={"miou": 0.5}, artifacts=artifacts))
