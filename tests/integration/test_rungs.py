"""A search with rungs on real Postgres and a real broker: who waits, who goes on, and what a front is made of."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from factories import DOCUMENT
from sqlalchemy import select, text
from test_scheduler import Farm

from db import candidates, experiments, leases, reports
from db.experiments import ExperimentStatus
from db.report import EpochMetrics, Report
from db.tables import CandidateRow, EvaluationRow
from paretofarm.errors import OutOfMemory
from paretofarm.lifecycle import CandidateStatus, EvaluationStatus, Stage
from scheduler.broker import Broker
from scheduler.loop import Scheduler

RUNGS = [1, 3, 9]
PAUSED, COMPLETE = CandidateStatus.PAUSED, CandidateStatus.COMPLETE


def accuracy(number: int, epochs: int) -> float:
    """Of candidate `number` after so many epochs: the same order at every rung, better with more training."""
    return (number * 7 % 16) / 20 + epochs / 100


class RungFarm(Farm):
    """Its hands train as `accuracy` says."""

    def __init__(self, database_url: str, broker_url: str, **overrides: Any) -> None:
        training = {**DOCUMENT["training"], "epochs": RUNGS}
        fidelity = {"rungs": RUNGS, "promote": 0.5, **overrides.pop("fidelity", {})}
        chosen = {"training": training, "fidelity": fidelity, "in_flight": 2, "stop": {"candidates": 2}, **overrides}
        super().__init__(database_url, broker_url, **chosen)

    def train(self) -> int:
        """Every queued training; how many there were."""
        with self.database.transaction() as session:
            query = select(EvaluationRow.id, EvaluationRow.attempt, EvaluationRow.rung, CandidateRow.number)
            query = query.join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
            query = query.where(EvaluationRow.status == EvaluationStatus.QUEUED, EvaluationRow.stage == Stage.TRAIN)
            queued = session.execute(query.order_by(EvaluationRow.id)).all()
            for evaluation_id, attempt, rung, number in queued:
                claim = leases.claim(session, evaluation_id, attempt, owner="test", lease_s=60)
                assert claim is not None
                first = RUNGS[rung - 1] + 1 if rung else 1
                epochs = [
                    EpochMetrics(epoch, 1.0, 1.0, {"miou": accuracy(number, epoch)})
                    for epoch in range(first, RUNGS[rung] + 1)
                ]
                metrics = {"miou": accuracy(number, RUNGS[rung])}
                leases.report(session, claim, Report(metrics=metrics, epochs=epochs))
        return len(queued)

    def round(self) -> int:
        self.scheduler.tick()
        return self.work(Stage.BUILD, Stage.COMPILE, Stage.MEASURE) + self.train()

    def run_to_the_end(self) -> None:
        for _ in range(300):
            if not self.round() and self.search().status is ExperimentStatus.FINISHED:
                return
        raise AssertionError("the search did not end")

    def status_of(self, number: int) -> CandidateStatus:
        return self.candidates()[number].status


@pytest.fixture
def farm(database_url: str, broker_url: str) -> Iterator[RungFarm]:
    with closing(RungFarm(database_url, broker_url)) as farm:
        yield farm


def until_paused(farm: RungFarm, count: int) -> None:
    for _ in range(20):
        farm.round()
        if sum(row.status is PAUSED for row in farm.candidates()) >= count:
            return
    raise AssertionError("nobody waits")


def test_a_candidate_that_has_reached_its_rung_waits_and_leaves_its_place(farm: RungFarm) -> None:
    for _ in range(3):
        farm.round()
    farm.scheduler.tick()
    rows = farm.candidates()
    assert len(rows) > 2
    assert (rows[0].status, rows[0].rung, rows[0].finished_at) == (PAUSED, 0, None)
    assert rows[0].metrics["miou@epochs=1"] == rows[0].metrics["miou"] == accuracy(0, 1)
    assert sum(row.status.in_flight for row in rows) == 2


def test_the_search_ends_with_as_many_fully_trained_ones_as_asked_for(farm: RungFarm) -> None:
    farm.run_to_the_end()
    rows = farm.candidates()
    complete = [row for row in rows if row.status is COMPLETE]
    assert len(complete) == 2
    assert all(row.rung == 2 for row in complete)
    assert {row.status for row in rows} == {PAUSED, COMPLETE}
    assert len(rows) > 6  # at a promotion of one half in two steps


def test_those_that_were_better_at_a_rung_are_trained_on(farm: RungFarm) -> None:
    farm.run_to_the_end()
    rows = farm.candidates()
    further = [accuracy(row.number, 1) for row in rows if row.rung]
    left = [accuracy(row.number, 1) for row in rows if not row.rung]
    assert sum(further) / len(further) > sum(left) / len(left)
    assert all(row.metrics["miou@epochs=3"] == accuracy(row.number, 3) for row in rows if row.rung)


def test_only_fully_trained_candidates_are_on_the_front(farm: RungFarm) -> None:
    """However good the others were when they were left behind."""
    farm.run_to_the_end()
    with farm.database.transaction() as session:
        front = reports.front(session, farm.search()).members
        views = session.execute(text("SELECT candidate_id FROM pareto_front")).scalars().all()
    complete = {row.id: row for row in farm.candidates() if row.status is COMPLETE}
    assert front and {member.id for member in front} <= complete.keys()
    assert set(views) == {member.id for member in front}
    assert all(member.metrics["miou"] == accuracy(member.number, 9) for member in front)


def test_a_view_tells_what_training_a_metric_is_of(farm: RungFarm) -> None:
    farm.run_to_the_end()
    with farm.database.transaction() as session:
        query = text("SELECT DISTINCT status, rung, epochs FROM candidate_metrics WHERE rung IS NOT NULL")
        rows = {tuple(row) for row in session.execute(query)}
        progress = session.execute(text("SELECT paused, complete FROM search_progress")).one()
    assert ("complete", 2, 9) in rows and ("paused", 0, 1) in rows
    assert progress.complete == 2
    assert progress.paused == sum(row.status is PAUSED for row in farm.candidates())


def test_a_scheduler_that_died_between_two_rungs_is_followed_by_one_that_decides_alike(
    farm: RungFarm, broker_url: str
) -> None:
    until_paused(farm, 2)
    with closing(Broker(broker_url)) as broker:
        for _ in range(100):  # a new one for every tick
            farm.scheduler = Scheduler(farm.database, broker, resend_s=30)
            if not farm.round() and farm.search().status is ExperimentStatus.FINISHED:
                break
    promoted = [(row.number, row.rung) for row in farm.candidates()]
    with farm.database.transaction() as session:
        happened = session.execute(
            text(
                "SELECT candidate_id, details ->> 'rung', count(*) FROM events WHERE kind = 'candidate_promoted' "
                "GROUP BY 1, 2 HAVING count(*) > 1"
            )
        ).all()
    assert happened == []
    assert sum(rung == 2 for _, rung in promoted) == 2


def test_a_tick_that_is_rolled_back_promotes_nobody(farm: RungFarm) -> None:
    until_paused(farm, 1)
    with farm.database.transaction() as session:
        members = candidates.members(session, farm.id)
        waiting = next(member for member in members if member.status is PAUSED)
    from paretofarm.fidelity import Promotion

    promotion = Promotion(waiting.number, 1)
    with pytest.raises(RuntimeError), farm.database.transaction() as session:
        assert candidates.promote(session, farm.id, promotion)
        raise RuntimeError("power cut")
    assert farm.status_of(waiting.number) is PAUSED
    with farm.database.transaction() as session:
        assert candidates.promote(session, farm.id, promotion)
        assert not candidates.promote(session, farm.id, promotion)
    assert farm.status_of(waiting.number) is CandidateStatus.RUNNING


def test_a_stopped_search_lets_its_candidates_come_to_their_rung_and_goes_on_later(farm: RungFarm) -> None:
    farm.scheduler.tick()
    with farm.database.transaction() as session:
        experiments.stop(session, farm.id)
    for _ in range(6):
        farm.round()
    farm.scheduler.tick()
    assert [row.status for row in farm.candidates()] == [PAUSED] * 2
    with farm.database.transaction() as session:
        experiments.resume(session, farm.id)
    farm.run_to_the_end()
    assert sum(row.status is COMPLETE for row in farm.candidates()) == 2


def test_where_no_more_may_be_proposed_those_that_wait_go_on(database_url: str, broker_url: str) -> None:
    with closing(RungFarm(database_url, broker_url, stop={"candidates": 2, "proposals": 3})) as farm:
        farm.run_to_the_end()
        rows = farm.candidates()
        assert len(rows) == 3
        assert sum(row.status is COMPLETE for row in rows) == 2
        assert farm.search().reason is None


def test_one_that_fails_at_a_higher_rung_is_replaced(farm: RungFarm) -> None:
    until_paused(farm, 2)
    for _ in range(30):
        farm.scheduler.tick()
        farm.work(Stage.BUILD, Stage.COMPILE, Stage.MEASURE)
        with farm.database.transaction() as session:
            query = select(EvaluationRow).where(
                EvaluationRow.status == EvaluationStatus.QUEUED, EvaluationRow.rung == 1
            )
            second = session.scalars(query.order_by(EvaluationRow.id)).first()
            if second is not None:
                claim = leases.claim(session, second.id, second.attempt, owner="test", lease_s=60)
                assert claim is not None
                leases.fail(session, claim, OutOfMemory("too big"))
                break
        farm.train()
    farm.run_to_the_end()
    rows = farm.candidates()
    assert sum(row.status is CandidateStatus.FAILED for row in rows) == 1
    assert sum(row.status is COMPLETE for row in rows) == 2


def test_a_raised_limit_goes_on_with_those_that_wait(farm: RungFarm) -> None:
    farm.run_to_the_end()
    before = len(farm.candidates())
    with farm.database.transaction() as session:
        experiments.change_limit(session, farm.id, 3)
    farm.run_to_the_end()
    assert sum(row.status is COMPLETE for row in farm.candidates()) == 3
    assert len(farm.candidates()) <= before + 4


def test_who_has_no_chance_by_its_curve_is_passed_over(database_url: str, broker_url: str) -> None:
    """With half the certainty two complete curves suffice; all latencies are equal, so the best one dominates."""
    fidelity = {"promote": 1.0, "extrapolate": {"confidence": 0.5}}
    with closing(RungFarm(database_url, broker_url, fidelity=fidelity, stop={"candidates": 6})) as farm:
        farm.run_to_the_end()
        rows = farm.candidates()
        complete = [row.number for row in rows if row.status is COMPLETE]
        waiting = [row for row in rows if row.status is PAUSED]
        assert len(complete) == 6
        assert waiting
        best = max(accuracy(number, 9) for number in complete)
        assert all(accuracy(row.number, 9) < best for row in waiting)
