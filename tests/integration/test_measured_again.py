"""Contested members of a front are measured again before their search is over: on the real database."""

import json
import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from factories import make_measurement, store_phone
from sqlalchemy import func, select, text
from test_scheduler import RESULTS, Farm

from cli.main import main
from db import events, leases, reruns, roles
from db.events import Event, EventKind
from db.experiments import ExperimentStatus
from db.measured import reusable
from db.racing import GIVEN_UP, is_repetition, measure_again, repeated
from db.report import Report
from db.tables import CandidateRow, EarlierMeasurementRow, EvaluationRow, MeasurementRow
from paretofarm.errors import LeaseLost, NotDeployable, ParetofarmError
from paretofarm.latency import LatencySummary
from paretofarm.lifecycle import CandidateStatus, EvaluationStatus, Stage
from paretofarm.racing import Contested, Repeated

RACE = {"racing": {"measurements": 3, "candidates": 10}, "stop": {"candidates": 4}, "in_flight": 4}
KEY = "latency_ms@virtual"
EXPIRE = "UPDATE evaluations SET lease_expires_at = now() - interval '1 s' WHERE status = 'leased'"


class RacingFarm(Farm):
    """Networks are the more accurate the later they were proposed, and all as fast but for what a phone says."""

    def __init__(self, database_url: str, broker_url: str, **overrides: Any) -> None:
        super().__init__(database_url, broker_url, **{**RACE, **overrides})
        self.database_url = database_url
        with self.database.transaction() as session:
            self.phone_id = store_phone(session)
        self.phone = random.Random(1)
        self.half = 0.3

    def queued(self, stage: Stage | None = None) -> list[EvaluationRow]:
        with self.database.transaction() as session:
            query = select(EvaluationRow).where(EvaluationRow.status == EvaluationStatus.QUEUED)
            query = query if stage is None else query.where(EvaluationRow.stage == stage)
            return list(session.scalars(query.order_by(EvaluationRow.id)))

    def do(self, error: ParetofarmError | None = None) -> int:
        """All that is queued; measurements end with the error, where there is one."""
        rows = self.queued()
        for row in rows:
            with self.database.transaction() as session:
                claim = leases.claim(session, row.id, row.attempt, owner="test", lease_s=60)
                assert claim is not None
                if error is not None and row.stage is Stage.MEASURE:
                    leases.fail(session, claim, error)
                else:
                    leases.report(session, claim, self.report(row.stage, claim.number))
        return len(rows)

    def report(self, stage: Stage, number: int) -> Report:
        if stage is Stage.TRAIN:
            return Report(metrics={"miou": 0.5 + 0.01 * number})
        if stage is not Stage.MEASURE:
            return Report(metrics=RESULTS[stage])
        value = 3.0 + self.phone.uniform(-0.1, 0.1)
        summary = replace(self.summary, latency_ms=value, low_ms=value - self.half, high_ms=value + self.half)
        record = replace(make_measurement(self.phone_id), summary=summary)
        ends = {"latency_ms": (summary.low_ms, summary.high_ms)}
        return Report(metrics={"latency_ms": value}, intervals=ends, measurement=record)

    @property
    def summary(self) -> LatencySummary:
        return make_measurement(self.phone_id).summary

    def until_measured_again(self) -> None:
        for _ in range(50):
            self.scheduler.tick()
            if self.happened(EventKind.CANDIDATE_CONTESTED):
                return
            self.do()
        raise AssertionError("nobody was measured again")

    def to_the_end(self) -> None:
        for _ in range(50):
            self.scheduler.tick()
            if not self.do():
                return
        raise AssertionError("it never ends")

    def happened(self, kind: EventKind) -> list[Event]:
        with self.database.transaction() as session:
            return events.latest(session, kinds=[kind], experiment_id=self.id, limit=1000)

    def sessions(self) -> dict[int, int]:
        with self.database.transaction() as session:
            return {each.number: each.measurements for each in repeated(session, self.id)}

    def count(self, rows: type[MeasurementRow] | type[EarlierMeasurementRow]) -> int:
        with self.database.transaction() as session:
            return session.scalar(select(func.count()).select_from(rows)) or 0


@pytest.fixture
def farm(database_url: str, broker_url: str) -> Iterator[RacingFarm]:
    with closing(RacingFarm(database_url, broker_url)) as farm:
        yield farm


def test_whoever_is_in_doubt_is_measured_again_as_often_as_asked_for_and_no_more(farm: RacingFarm) -> None:
    farm.to_the_end()
    assert farm.search().status is ExperimentStatus.FINISHED
    assert farm.sessions() == {0: 3, 1: 3, 2: 3, 3: 3}
    assert (farm.count(MeasurementRow), farm.count(EarlierMeasurementRow)) == (4, 8)
    assert len(farm.happened(EventKind.CANDIDATE_CONTESTED)) == 8
    assert [row.status for row in farm.candidates()] == [CandidateStatus.COMPLETE] * 4
    for row in farm.candidates():
        low, high = row.intervals[KEY]
        assert low < row.metrics[KEY] < high
        assert high - low < 0.7 * 2 * farm.half


def test_the_candidate_tells_of_all_its_measurements(farm: RacingFarm, monkeypatch: pytest.MonkeyPatch) -> None:
    farm.to_the_end()
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", farm.database_url)
    number = str(farm.candidates()[0].id)
    told = json.loads(CliRunner().invoke(main, ["candidate", number, "--json"], catch_exceptions=False).stdout)
    [measurement] = told["measurements"]
    values = [each["latency_ms"] for each in (*measurement["earlier"], measurement["summary"])]
    assert len(values) == 3
    assert min(values) < told["metrics"][KEY] < max(values)
    assert "measured before" in CliRunner().invoke(main, ["candidate", number], catch_exceptions=False).stdout


def test_it_is_over_as_soon_as_nothing_is_in_doubt(farm: RacingFarm) -> None:
    farm.until_measured_again()
    farm.half = 0.001
    farm.to_the_end()
    assert set(farm.sessions().values()) == {2}
    assert farm.search().status is ExperimentStatus.FINISHED


def test_a_search_that_does_not_ask_for_it_measures_everybody_once(database_url: str, broker_url: str) -> None:
    with closing(RacingFarm(database_url, broker_url, racing=None)) as farm:
        farm.to_the_end()
        assert (farm.sessions(), farm.search().status) == ({}, ExperimentStatus.FINISHED)


def test_meanwhile_the_search_goes_on_and_proposes_nothing(farm: RacingFarm) -> None:
    farm.until_measured_again()
    assert [row.status for row in farm.candidates()] == [CandidateStatus.RUNNING] * 4
    assert farm.search().status is ExperimentStatus.RUNNING
    assert [row.stage for row in farm.queued()] == [Stage.MEASURE] * 4
    for _ in range(3):
        farm.scheduler.tick()
    assert len(farm.candidates()) == 4
    assert farm.waiting("measure.virtual") == 8  # the first four of which nobody took from the broker


def test_a_scheduler_that_restarts_at_every_tick_comes_to_the_same_end(farm: RacingFarm) -> None:
    for _ in range(50):
        farm.scheduler._searches.clear()
        farm.scheduler.tick()
        if not farm.do():
            break
    assert farm.sessions() == {0: 3, 1: 3, 2: 3, 3: 3}
    assert len(farm.happened(EventKind.CANDIDATE_CONTESTED)) == 8
    assert farm.search().status is ExperimentStatus.FINISHED


def test_nothing_is_recorded_twice(farm: RacingFarm) -> None:
    """A lost lease, a late result and a repeated tick leave one measurement per session."""
    farm.until_measured_again()
    row = farm.queued()[0]
    with farm.database.transaction() as session:
        lost = leases.claim(session, row.id, row.attempt, owner="lost", lease_s=60)
        assert lost is not None
        assert leases.claim(session, row.id, row.attempt, owner="twin", lease_s=60) is None
        session.execute(text(EXPIRE))
    farm.scheduler.tick()
    farm.do()
    with pytest.raises(LeaseLost), farm.database.transaction() as session:
        leases.report(session, lost, farm.report(Stage.MEASURE, lost.number))
    assert (farm.count(MeasurementRow), farm.count(EarlierMeasurementRow)) == (4, 4)
    farm.scheduler.tick()
    pooled = farm.happened(EventKind.MEASUREMENTS_POOLED)
    farm.scheduler.tick()
    assert len(farm.happened(EventKind.MEASUREMENTS_POOLED)) == len(pooled) == 4
    assert {event.details["measurements"] for event in pooled} == {2}


def test_who_cannot_be_measured_again_stays_what_it_was(farm: RacingFarm) -> None:
    farm.until_measured_again()
    before = {row.number: (row.metrics, row.intervals, row.finished_at) for row in farm.candidates()}
    farm.do(error=NotDeployable("the phone has a new system"))
    farm.to_the_end()
    assert farm.search().status is ExperimentStatus.FINISHED
    assert {row.number: (row.metrics, row.intervals, row.finished_at) for row in farm.candidates()} == before
    assert [row.status for row in farm.candidates()] == [CandidateStatus.COMPLETE] * 4
    assert (farm.count(MeasurementRow), farm.count(EarlierMeasurementRow)) == (4, 0)
    with farm.database.transaction() as session:
        assert [each.given_up for each in repeated(session, farm.id)] == [True] * 4
        told = session.scalars(select(EvaluationRow.details).where(EvaluationRow.stage == Stage.MEASURE)).all()
    assert all("new system" in details[GIVEN_UP] for details in told)


def test_one_that_turns_out_to_break_a_limit_is_infeasible_and_another_is_looked_for(
    database_url: str, broker_url: str
) -> None:
    limits = [{"name": "latency_ms", "device": "virtual", "at_most": 3.2}]
    with closing(RacingFarm(database_url, broker_url, constraints=limits)) as farm:
        farm.until_measured_again()
        slow, *others = farm.queued(Stage.MEASURE)
        with farm.database.transaction() as session:
            claim = leases.claim(session, slow.id, slow.attempt, owner="test", lease_s=60)
            assert claim is not None
            report = farm.report(Stage.MEASURE, claim.number)
            assert report.measurement is not None
            summary = replace(farm.summary, latency_ms=4.0, low_ms=3.999, high_ms=4.001)
            leases.report(session, claim, replace(report, measurement=replace(report.measurement, summary=summary)))
        farm.do()
        farm.to_the_end()
        statuses = [row.status for row in farm.candidates()]
        assert statuses.count(CandidateStatus.COMPLETE) == 4
        assert statuses.count(CandidateStatus.INFEASIBLE) == 1
        assert others


def test_candidates_keep_the_time_at_which_they_were_found(farm: RacingFarm) -> None:
    farm.until_measured_again()
    found = {row.number: row.finished_at for row in farm.candidates()}
    farm.to_the_end()
    assert {row.number: row.finished_at for row in farm.candidates()} == found
    assert all(found.values())


def test_a_repetition_is_no_copy_of_an_earlier_measurement(farm: RacingFarm) -> None:
    with farm.database.transaction() as session:
        assert not is_repetition(session, 1)
    farm.until_measured_again()
    with farm.database.transaction() as session:
        assert all(is_repetition(session, row.id) for row in farm.queued())
        asked = {"device": "virtual", "protocol_key": "x", "simulated": True, "max_relative_ci": 1.0}
        assert reusable(session, "a" * 64, **asked) is None  # nor is what was put aside another's


def test_a_user_who_measures_again_forgets_all_measurements_before(farm: RacingFarm) -> None:
    farm.to_the_end()
    with farm.database.transaction() as session:
        candidate = session.scalars(select(CandidateRow).where(CandidateRow.number == 0)).one()
        reruns.rerun(session, candidate.id)
    assert farm.count(EarlierMeasurementRow) == 6
    farm.half = 0.001
    farm.to_the_end()
    assert farm.sessions()[1] == 3


def test_who_has_not_ended_is_left_alone(farm: RacingFarm) -> None:
    farm.until_measured_again()
    with farm.database.transaction() as session:
        assert measure_again(session, farm.id, [Contested(0, "virtual", (1,)), Contested(77, "virtual", (1,))]) == 0
    assert farm.count(EarlierMeasurementRow) == 4


def test_a_scheduler_may_do_all_of_that(farm: RacingFarm) -> None:
    farm.until_measured_again()
    farm.do()
    with farm.database.transaction() as session:
        session.execute(text(f"SET LOCAL ROLE {roles.PREFIX}scheduler"))
        from db.racing import pool_measurements

        pool_measurements(session, farm.id)
        assert repeated(session, farm.id)[0] == Repeated(0, "virtual", 2)
        session.execute(text("RESET ROLE"))
    farm.scheduler.tick()
    farm.do(error=NotDeployable("gone"))
    with farm.database.transaction() as session:
        session.execute(text(f"SET LOCAL ROLE {roles.PREFIX}scheduler"))
        pool_measurements(session, farm.id)
    assert (farm.count(MeasurementRow), farm.count(EarlierMeasurementRow)) == (4, 4)
