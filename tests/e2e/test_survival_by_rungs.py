"""A search that trains by rungs, whose worker and scheduler are killed on the way: real training, real checkpoints."""

from collections import Counter
from collections.abc import Iterator

import pytest
from services import wait_until
from sqlalchemy import func, select
from test_survival import TIME_LIMIT_S, Search, running_search

from db import reports
from db.events import EventKind
from db.experiments import get
from db.tables import CandidateRow, EvaluationRow, EventRow, TrainingMetricsRow
from paretofarm.lifecycle import CandidateStatus, EvaluationStatus, Stage

RUNGS = [1, 3]
FIDELITY = {"rungs": RUNGS, "promote": 0.4}


def count_of(search: Search, status: CandidateStatus) -> int:
    with search.database.transaction() as session:
        query = select(func.count()).select_from(CandidateRow).where(CandidateRow.status == status)
        return session.scalar(query) or 0


def promoted_in_training(search: Search) -> int:
    query = select(func.count()).where(EvaluationRow.rung == 1, EvaluationRow.status == EvaluationStatus.LEASED)
    with search.database.transaction() as session:
        return session.scalar(query) or 0


@pytest.fixture(scope="module")
def survivor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    folder = tmp_path_factory.mktemp("rungs")
    training = {
        "type": "segmentation",
        "dataset": {"type": "face_synthetics", "path": str(folder / "faces"), "size": 32},
        "learning_rate": 3e-3,
    }
    with running_search(folder, training=training, fidelity=FIDELITY, stop={"candidates": 3}) as search:
        search.wait(lambda: count_of(search, CandidateStatus.PAUSED) > 0, "one that waits")
        search.kill("scheduler")
        search.wait(lambda: promoted_in_training(search) > 0, "one that is trained on")
        search.kill("worker")
        wait_until(search.is_finished, TIME_LIMIT_S, "the end of the search")
        yield search


def test_as_many_as_asked_for_are_fully_trained_and_the_others_wait(survivor: Search) -> None:
    with survivor.database.transaction() as session:
        rows = session.execute(select(CandidateRow.status, CandidateRow.rung, CandidateRow.metrics)).all()
    statuses = Counter(row.status for row in rows)
    assert statuses[CandidateStatus.COMPLETE] == 3
    assert statuses[CandidateStatus.PAUSED] >= 2
    assert set(statuses) <= {CandidateStatus.COMPLETE, CandidateStatus.PAUSED, CandidateStatus.FAILED}
    for row in rows:
        expected = {"miou@epochs=1", "miou@epochs=3"} if row.rung else {"miou@epochs=1"}
        assert {key for key in row.metrics if key.startswith("miou@")} == expected


def test_training_went_on_from_the_rung_before(survivor: Search) -> None:
    """Each epoch once: the first rung's one, the second rung's two, whoever was killed."""
    query = select(EvaluationRow.candidate_id, EvaluationRow.rung, TrainingMetricsRow.epoch)
    query = query.join(TrainingMetricsRow, TrainingMetricsRow.evaluation_id == EvaluationRow.id)
    complete = select(CandidateRow.id).where(CandidateRow.status == CandidateStatus.COMPLETE)
    with survivor.database.transaction() as session:
        rows = session.execute(query.where(EvaluationRow.candidate_id.in_(complete))).all()
    assert Counter((row.rung, row.epoch) for row in rows) == {(0, 1): 3, (1, 2): 3, (1, 3): 3}


def test_nothing_is_promoted_or_trained_twice(survivor: Search) -> None:
    with survivor.database.transaction() as session:
        promoted = session.scalars(
            select(EventRow.candidate_id).where(EventRow.kind == EventKind.CANDIDATE_PROMOTED)
        ).all()
        done = session.scalars(select(EventRow.evaluation_id).where(EventRow.kind == EventKind.EVALUATION_DONE)).all()
        trained = session.scalars(
            select(EvaluationRow.candidate_id).where(EvaluationRow.stage == Stage.TRAIN, EvaluationRow.rung == 1)
        ).all()
    assert sorted(promoted) == sorted(set(promoted)) == sorted(trained)
    assert len(done) == len(set(done))


def test_the_front_is_of_fully_trained_candidates(survivor: Search) -> None:
    with survivor.database.transaction() as session:
        front = reports.front(session, get(session, survivor.id)).members
    assert front
    assert all(member.status is CandidateStatus.COMPLETE for member in front)


def test_the_kills_really_cost_an_attempt(survivor: Search) -> None:
    with survivor.database.transaction() as session:
        codes = session.scalars(
            select(EventRow.details["code"].astext).where(EventRow.kind == EventKind.EVALUATION_REQUEUED)
        ).all()
    assert "LeaseExpired" in codes
