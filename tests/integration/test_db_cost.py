"""What work takes is added up as leases end, however they end; a search with a budget ends when that is used up."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from factories import claim_first, store_candidates, store_experiment
from sqlalchemy import select, text, update
from test_scheduler import Farm

from db import leases
from db.cost import spent
from db.experiments import ExperimentStatus
from db.report import Report
from db.session import Database
from db.tables import EvaluationRow
from paretofarm.cost import Spent
from paretofarm.errors import WorkerCrashed
from paretofarm.lifecycle import Stage


def build(database: Database) -> tuple[int, int]:
    """A search and its only evaluation."""
    with database.transaction() as session:
        search = store_experiment(session)
        [candidate] = store_candidates(session, search.id)
        return search.id, session.scalars(select(EvaluationRow.id).where(EvaluationRow.candidate_id == candidate)).one()


def went_by(database: Database, evaluation_id: int, seconds: float) -> None:
    """As if its lease had begun so much earlier."""
    earlier = text(f"started_at - interval '{seconds} seconds'")
    with database.transaction() as session:
        mine = EvaluationRow.id == evaluation_id
        session.execute(update(EvaluationRow).where(mine).values(started_at=earlier))


def test_every_attempt_counts_however_it_ends(database: Database) -> None:
    search, evaluation = build(database)
    endings = [
        lambda session, claim: leases.hand_back(session, claim),
        lambda session, claim: leases.fail(session, claim, WorkerCrashed("gone")),
        lambda session, claim: leases.report(session, claim, Report(metrics={"parameters": 1.0})),
    ]
    for attempt, end in enumerate(endings, 1):
        with database.transaction() as session:
            session.execute(update(EvaluationRow).values(not_before=text("now()")))
            claim = leases.claim(session, evaluation, attempt, owner="tester", lease_s=60.0)
        assert claim is not None
        went_by(database, evaluation, 100)
        with database.transaction() as session:
            end(session, claim)
    with database.transaction() as session:
        assert spent(session, search).host_s == pytest.approx(300, abs=5)


def test_who_dies_has_worked_until_the_lease_expired(database: Database) -> None:
    search, evaluation = build(database)
    with database.transaction() as session:
        claim_first(session, evaluation)
    went_by(database, evaluation, 100)
    with database.transaction() as session:
        expired = {"lease_expires_at": text("started_at + interval '40 seconds'")}
        session.execute(update(EvaluationRow).where(EvaluationRow.id == evaluation).values(expired))
        assert leases.requeue_expired(session) == 1
        assert spent(session, search) == Spent(host_s=pytest.approx(40, abs=0.1))


def test_what_is_under_way_counts_already(database: Database) -> None:
    search, evaluation = build(database)
    with database.transaction() as session:
        claim_first(session, evaluation)
    went_by(database, evaluation, 50)
    with database.transaction() as session:
        assert spent(session, search).host_s == pytest.approx(50, abs=5)


@pytest.fixture
def farm(database_url: str, broker_url: str) -> Iterator[Farm]:
    with closing(Farm(database_url, broker_url, stop={"candidates": 50, "gpu_hours": 1.0})) as farm:
        yield farm


def test_a_search_whose_budget_is_used_up_lets_what_is_in_flight_come_to_its_end(farm: Farm) -> None:
    farm.scheduler.tick()
    farm.work(Stage.BUILD)
    with farm.database.transaction() as session:
        session.execute(update(EvaluationRow).where(EvaluationRow.stage == Stage.BUILD).values(spent_s=1e6))
    farm.scheduler.tick()
    farm.work(Stage.TRAIN)
    with farm.database.transaction() as session:
        session.execute(update(EvaluationRow).where(EvaluationRow.stage == Stage.TRAIN).values(spent_s=1300.0))
    farm.run_to_the_end()
    search = farm.search()
    assert (len(farm.candidates()), search.status) == (3, ExperimentStatus.FINISHED)
    assert search.reason == "has used 1.08 of 1 GPU-hours, with 3 of 50 complete"
