"""Contested members of a front are measured again before their search is over: on the real database."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest
from click.testing import CliRunner
from factories import make_measurement
from racing_farm import KEY, RacingFarm
from sqlalchemy import select, text

from cli.main import main
from cli.watching import Watch
from db import candidates, experiments, leases, migrate, reruns, roles
from db.events import EventKind
from db.experiments import ExperimentStatus
from db.latencies import LatencyFeed, latency_groups
from db.measured import reusable
from db.racing import GIVEN_UP, give_up_repetitions, is_repetition, measure_again, repeated
from db.readings.searches import SearchReadings
from db.report import Report
from db.status_board import StatusBoard
from db.tables import CandidateRow, EarlierMeasurementRow, EvaluationRow, MeasurementRow
from paretofarm import instruments
from paretofarm.algorithms import Origin, Proposal
from paretofarm.architecture import Architecture
from paretofarm.errors import Conflict, LeaseLost, NotDeployable
from paretofarm.latency import LatencySummary
from paretofarm.lifecycle import CandidateStatus, Stage, Step
from paretofarm.measurement import PROTOCOL_VERSION
from paretofarm.racing import Contested, Repeated

EXPIRE = "UPDATE evaluations SET lease_expires_at = now() - interval '1 s' WHERE status = 'leased'"


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
    assert all(row.contested_at for row in farm.candidates())
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


def test_who_is_measured_again_stays_on_the_front_with_what_is_known(farm: RacingFarm) -> None:
    farm.until_measured_again()
    before = {row.number: row.metrics[KEY] for row in farm.candidates()}
    seen = farm.seen()
    assert seen.counts == {"complete": 4, "contested": 4}
    assert 0 < len(seen.front) == len(seen.view) == len(seen.dashboard)
    assert seen.front == {number: before[number] for number in seen.front}
    assert seen.view == seen.dashboard == seen.front
    assert seen.plotted == sorted(before.values())
    assert seen.simulated == {True}

    row = farm.queued()[0]
    with farm.database.transaction() as session:
        assert leases.claim(session, row.id, row.attempt, owner="test", lease_s=60)
    assert farm.seen() == seen


def test_in_the_end_nobody_is_contested(farm: RacingFarm) -> None:
    farm.to_the_end()
    assert farm.seen().counts == {"complete": 4, "contested": 0}


def test_a_race_under_way_survives_a_migration_back_and_forth(farm: RacingFarm) -> None:
    farm.until_measured_again()
    before = farm.seen()
    farm.database.engine.dispose()
    migrate.downgrade(farm.database_url, "0007")
    migrate.upgrade(farm.database_url, "0007")
    with farm.database.transaction() as session:
        assert set(session.scalars(text("SELECT status FROM candidates"))) == {"running"}
        assert (farm.count(MeasurementRow), farm.count(EarlierMeasurementRow)) == (0, 4)
    migrate.upgrade(farm.database_url)
    assert farm.seen() == before
    farm.to_the_end()
    assert farm.sessions() == {0: 3, 1: 3, 2: 3, 3: 3}


def test_what_is_on_the_front_is_what_all_measurements_say_without_waiting_for_a_scheduler(farm: RacingFarm) -> None:
    farm.until_measured_again()
    farm.do()
    after = farm.seen()
    assert after.counts == {"complete": 4, "contested": 4}
    for row in farm.candidates():
        with farm.database.transaction() as session:
            evaluation = session.scalars(
                select(EvaluationRow).where(EvaluationRow.candidate_id == row.id, EvaluationRow.stage == Stage.MEASURE)
            ).one()
            earlier = session.scalars(select(EarlierMeasurementRow).filter_by(evaluation_id=evaluation.id)).one()
            latest = session.scalars(select(MeasurementRow).filter_by(evaluation_id=evaluation.id)).one()
        ends = sorted(summary["latency_ms"] for summary in (earlier.measurement["summary"], latest.summary))
        assert ends[0] < row.metrics[KEY] < ends[1]
    assert after.front == {row.number: row.metrics[KEY] for row in farm.candidates() if row.number in after.front}


def test_a_status_that_was_looked_up_before_knows_of_the_new_measurements(farm: RacingFarm) -> None:
    board, readings = StatusBoard(), SearchReadings()
    farm.until_measured_again()
    bests = []
    for _ in range(2):
        with farm.database.transaction() as session:
            status = board.read(session, farm.search())
            read = [each.value for each in readings.read(session) if each.instrument is instruments.BEST]
            fastest = session.scalar(text(f"SELECT min((metrics ->> '{KEY}')::float) FROM candidates"))
        assert status.standing.bests[KEY] == pytest.approx(fastest)
        assert any(value == pytest.approx(fastest) for value in read)
        bests.append(fastest)
        farm.to_the_end()
    assert bests[0] != bests[1]


def test_whoever_follows_a_stopped_search_waits_for_who_is_measured_again(farm: RacingFarm) -> None:
    farm.until_measured_again()
    with farm.database.transaction() as session:
        experiments.stop(session, farm.id)
    watch = Watch(farm.database, farm.search())
    assert not watch.look().is_over
    farm.to_the_end()
    assert watch.look().is_over


def test_other_searches_and_the_predictor_learn_what_all_measurements_say(farm: RacingFarm) -> None:
    farm.to_the_end()
    known = {row.digest: (row.metrics[KEY], *row.intervals[KEY]) for row in farm.candidates()}
    with farm.database.transaction() as session:
        [group] = latency_groups(session)
        later = farm.search().experiment.model_copy(update={"name": "later"})
        other = experiments.create(session, later, source="", code_version="test")
        told = LatencyFeed(experiments.get(session, other)).read(session)
    for latencies in (group.latencies, told):
        assert {each.digest: (each.latency_ms, each.low_ms, each.high_ms) for each in latencies} == known


def test_a_copy_of_the_latest_measurement_does_not_make_the_predictor_forget_the_others(farm: RacingFarm) -> None:
    farm.to_the_end()
    known = {row.digest: row.metrics[KEY] for row in farm.candidates()}
    with farm.database.transaction() as session:
        later = farm.search().experiment.model_copy(update={"name": "later", "racing": None})
        other = experiments.create(session, later, source="", code_version="test")
        original = session.scalars(select(MeasurementRow).order_by(MeasurementRow.id.desc()).limit(1)).one()
        evaluation = session.get_one(EvaluationRow, original.evaluation_id)
        copied = session.get_one(CandidateRow, evaluation.candidate_id)
        proposal = Proposal(Architecture.from_dict(copied.architecture), Origin.RANDOM)
        [candidate_id] = candidates.propose(session, other, [proposal])
        candidates.queue(session, candidate_id, [Step(Stage.MEASURE, "virtual")])
        [mine] = session.scalars(select(EvaluationRow).filter_by(candidate_id=candidate_id, stage=Stage.MEASURE))
        claim = leases.claim(session, mine.id, 1, owner="test", lease_s=60)
        assert claim is not None
        summary = LatencySummary(**original.summary)
        copy = replace(make_measurement(farm.phone_id), summary=summary, protocol=PROTOCOL_VERSION)
        leases.report(session, claim, Report(measurement=replace(copy, reused_from=original.id)))
        [group] = latency_groups(session)
    assert group.searches[-1] == "later"
    assert {each.digest: each.latency_ms for each in group.latencies} == known


def test_a_user_does_not_interfere_with_who_is_measured_again(farm: RacingFarm) -> None:
    farm.until_measured_again()
    with pytest.raises(Conflict, match="being measured again already"), farm.database.transaction() as session:
        reruns.rerun(session, farm.candidates()[0].id)


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
    assert {row.attempt for row in farm.queued()} == {2}


def test_a_user_who_measures_again_while_a_race_begins_is_told_so(farm: RacingFarm) -> None:
    """Both take the evaluation before the candidate: nobody's transaction is broken off."""
    farm.to_the_end()

    def rerun() -> None:
        with farm.database.transaction() as session:
            reruns.rerun(session, farm.candidates()[0].id)

    with ThreadPoolExecutor(1) as user:
        with farm.database.transaction() as session:
            mine = select(EvaluationRow.id).join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
            mine = mine.where(CandidateRow.number == 0, EvaluationRow.stage == Stage.MEASURE)
            session.execute(mine.with_for_update(of=EvaluationRow))
            asked = user.submit(rerun)
            while not session.scalar(text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")):
                assert not asked.done()
            assert measure_again(session, farm.id, [Contested(0, "virtual", (1,))]) == 1
        with pytest.raises(Conflict, match="being measured again already"):
            asked.result()


def test_an_agent_may_report_that(farm: RacingFarm) -> None:
    farm.until_measured_again()
    row = farm.queued()[0]
    with farm.database.transaction() as session:
        session.execute(text(f"SET LOCAL ROLE {roles.PREFIX}agent"))
        claim = leases.claim(session, row.id, row.attempt, owner="test", lease_s=60)
        assert claim is not None
        leases.report(session, claim, farm.report(Stage.MEASURE, claim.number))
    assert (farm.count(MeasurementRow), farm.count(EarlierMeasurementRow)) == (4, 1)


def test_a_scheduler_may_do_all_of_that(farm: RacingFarm) -> None:
    farm.until_measured_again()
    farm.do()
    with farm.database.transaction() as session:
        session.execute(text(f"SET LOCAL ROLE {roles.PREFIX}scheduler"))
        give_up_repetitions(session, farm.id)
        assert repeated(session, farm.id)[0] == Repeated(0, "virtual", 2)
        session.execute(text("RESET ROLE"))
    farm.scheduler.tick()
    farm.do(error=NotDeployable("gone"))
    with farm.database.transaction() as session:
        session.execute(text(f"SET LOCAL ROLE {roles.PREFIX}scheduler"))
        give_up_repetitions(session, farm.id)
    assert (farm.count(MeasurementRow), farm.count(EarlierMeasurementRow)) == (4, 4)
