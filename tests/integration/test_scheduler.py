"""The scheduler on real Postgres and a real broker; the work is done by the test, at once and as it pleases."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from factories import make_experiment
from redis import Redis
from services import RunningBroker, RunningPostgres, migrate, wait_until
from sqlalchemy import select, text, update

from db import candidates, events, experiments, leases, reruns, workers
from db.events import EventKind
from db.experiments import ExperimentStatus, StoredExperiment
from db.planning import PLANNING_LOCK
from db.report import Report
from db.session import Database
from db.tables import CandidateRow, EvaluationRow
from db.workers import WorkerFacts
from paretofarm.errors import BuildFailed, DatabaseUnavailable, DataError, ParetofarmError
from paretofarm.lifecycle import CandidateStatus, EvaluationStatus, Stage
from scheduler.broker import Broker
from scheduler.loop import Scheduler
from scheduler.search import ON_AGAIN

RESULTS: dict[Stage, dict[str, float]] = {
    Stage.BUILD: {"parameters": 1e4, "macs": 1e6},
    Stage.COMPILE: {"network_bytes": 1e5},
    Stage.MEASURE: {"latency_ms": 3.0},
    Stage.TRAIN: {"miou": 0.5},
    Stage.SCORE: {"device_miou": 0.4},
}
SPACE = {"type": "hourglass", "input_size": 64, "base_channels": [8, 16, 24]}


class Farm:
    """A database with one search, a broker, a scheduler, and hands that do the work."""

    def __init__(self, database_url: str, broker_url: str, *, resend_s: float = 30.0, **overrides: Any) -> None:
        self.database = Database(database_url)
        self.redis = Redis.from_url(broker_url) if broker_url.startswith("redis:") else _socket_redis(broker_url)
        self._broker = Broker(broker_url)
        self.scheduler = Scheduler(self.database, self._broker, resend_s=resend_s)
        experiment = make_experiment(**{"search_space": SPACE, "in_flight": 3, "stop": {"candidates": 5}, **overrides})
        with self.database.transaction() as session:
            self.id = experiments.create(session, experiment, source="", code_version="test")

    def close(self) -> None:
        self._broker.close()
        self.database.dispose()
        self.redis.close()

    def search(self) -> StoredExperiment:
        with self.database.transaction() as session:
            return experiments.get(session, self.id)

    def candidates(self) -> list[CandidateRow]:
        with self.database.transaction() as session:
            return list(session.scalars(select(CandidateRow).order_by(CandidateRow.number)))

    def waiting(self, queue: str) -> int:
        return int(self.redis.llen(queue))

    def work(self, *stages: Stage, error: ParetofarmError | None = None, **results: float) -> int:
        """Claims everything queued in these stages and reports at once; how much that was."""
        with self.database.transaction() as session:
            query = select(EvaluationRow).where(EvaluationRow.status == EvaluationStatus.QUEUED)
            queued = session.scalars(query.where(EvaluationRow.stage.in_(stages or tuple(Stage)))).all()
            for row in queued:
                claim = leases.claim(session, row.id, row.attempt, owner="test", lease_s=60)
                assert claim is not None
                if error:
                    leases.fail(session, claim, error)
                else:
                    leases.report(session, claim, Report(metrics={**RESULTS[row.stage], **results}))
        return len(queued)

    def train(self, miou: Callable[[CandidateRow], float]) -> None:
        """Builds and trains whatever is in flight, each as good as that says."""
        self.work(Stage.BUILD)
        self.scheduler.tick()
        with self.database.transaction() as session:
            query = select(EvaluationRow).where(EvaluationRow.status == EvaluationStatus.QUEUED)
            for row in session.scalars(query).all():
                claim = leases.claim(session, row.id, row.attempt, owner="test", lease_s=60)
                assert claim is not None
                leases.report(
                    session, claim, Report(metrics={"miou": miou(session.get_one(CandidateRow, row.candidate_id))})
                )
        self.scheduler.tick()

    def restart(self) -> None:
        """A new scheduler, as after a kill."""
        self.scheduler = Scheduler(self.database, self._broker, resend_s=30)

    def remarks(self) -> list[str]:
        with self.database.transaction() as session:
            found = events.latest(session, kinds=[EventKind.ALGORITHM_REMARKED], experiment_id=self.id)
        return [event.details["remark"] for event in found]

    def run_to_the_end(self) -> None:
        for _ in range(100):
            self.scheduler.tick()
            if not self.work():
                break
        self.scheduler.tick()


def _socket_redis(url: str) -> "Redis[bytes]":
    path, _, database = url.removeprefix("redis+socket://").partition("?virtual_host=")
    return Redis(unix_socket_path=path, db=int(database or 0))


@pytest.fixture
def farm(database_url: str, broker_url: str) -> Iterator[Farm]:
    with closing(Farm(database_url, broker_url)) as farm:
        yield farm


def test_it_fills_the_free_slots_and_sends_a_message_each(farm: Farm) -> None:
    farm.scheduler.tick()
    assert [row.status for row in farm.candidates()] == [CandidateStatus.PROPOSED] * 3
    assert farm.waiting("build") == 3


def test_a_second_tick_neither_proposes_nor_sends_again(farm: Farm) -> None:
    farm.scheduler.tick()
    farm.scheduler.tick()
    assert (len(farm.candidates()), farm.waiting("build")) == (3, 3)


def test_a_message_is_evaluation_and_attempt_and_nothing_else(farm: Farm) -> None:
    farm.scheduler.tick()
    message = farm.redis.lindex("build", 0)
    import base64
    import json

    body = json.loads(base64.b64decode(json.loads(message)["body"]))
    arguments, keywords, _ = body
    assert keywords == {}
    assert arguments[1] == 1 and isinstance(arguments[0], int)


def test_training_is_sent_beside_compiling(farm: Farm) -> None:
    farm.scheduler.tick()
    farm.work(Stage.BUILD)
    farm.scheduler.tick()
    assert (farm.waiting("compile"), farm.waiting("train"), farm.waiting("measure.virtual")) == (3, 3, 0)


def test_a_search_ends_with_as_many_complete_candidates_as_asked_for(farm: Farm) -> None:
    farm.run_to_the_end()
    assert [row.status for row in farm.candidates()] == [CandidateStatus.COMPLETE] * 5
    assert farm.search().status is ExperimentStatus.FINISHED


def test_infeasible_candidates_are_replaced(farm: Farm) -> None:
    farm.scheduler.tick()
    farm.work(Stage.BUILD, parameters=1e9)
    farm.run_to_the_end()
    statuses = [row.status for row in farm.candidates()]
    assert statuses.count(CandidateStatus.COMPLETE) == 5
    assert statuses.count(CandidateStatus.INFEASIBLE) == 3


def test_a_failed_candidate_keeps_its_reason(farm: Farm) -> None:
    farm.scheduler.tick()
    farm.work(Stage.BUILD, error=BuildFailed("no such op"))
    farm.scheduler.tick()
    failed = [row for row in farm.candidates() if row.status is CandidateStatus.FAILED]
    assert [row.reason for row in failed] == ["build: BuildFailed: no such op"] * 3


def test_a_search_whose_constraints_nothing_meets_ends_after_its_proposals(database_url: str, broker_url: str) -> None:
    with closing(Farm(database_url, broker_url, stop={"candidates": 5, "proposals": 7})) as farm:
        for _ in range(10):
            farm.scheduler.tick()
            farm.work(Stage.BUILD, parameters=1e9)
        assert len(farm.candidates()) == 7
        assert farm.search().status is ExperimentStatus.FINISHED


def test_a_stopped_search_proposes_no_more_but_finishes_what_it_began(farm: Farm) -> None:
    farm.scheduler.tick()
    with farm.database.transaction() as session:
        experiments.stop(session, farm.id)
    for _ in range(5):
        farm.scheduler.tick()
        farm.work()
    farm.scheduler.tick()
    assert [row.status for row in farm.candidates()] == [CandidateStatus.COMPLETE] * 3
    assert farm.search().status is ExperimentStatus.STOPPED
    with farm.database.transaction() as session:
        experiments.resume(session, farm.id)
    farm.run_to_the_end()
    assert farm.search().status is ExperimentStatus.FINISHED


def test_a_missing_data_set_stops_the_search_and_blames_no_candidate(farm: Farm) -> None:
    farm.scheduler.tick()
    farm.work(Stage.BUILD)
    farm.scheduler.tick()
    farm.work(Stage.TRAIN, error=DataError("data/faces: no such folder"))
    farm.scheduler.tick()
    search = farm.search()
    assert search.status is ExperimentStatus.STOPPED
    assert search.reason == "train@0: DataError: data/faces: no such folder"
    with farm.database.transaction() as session:
        experiments.resume(session, farm.id)
    farm.run_to_the_end()
    assert [row.status for row in farm.candidates()] == [CandidateStatus.COMPLETE] * 5


def test_the_same_seed_proposes_the_same_first_generation(postgres: RunningPostgres, broker_url: str) -> None:
    generations = []
    for in_flight in (2, 5):
        url = postgres.create_database(f"generation_{in_flight}", "migrated")
        algorithm = {"type": "evolution_pareto", "initial": 6}
        with closing(Farm(url, broker_url, in_flight=in_flight, algorithm=algorithm, stop={"candidates": 6})) as farm:
            farm.run_to_the_end()
            generations.append([row.digest for row in farm.candidates()])
    assert generations[0] == generations[1]


def test_a_message_that_got_lost_is_sent_again(database_url: str, broker_url: str) -> None:
    with closing(Farm(database_url, broker_url, resend_s=0.05)) as farm:
        farm.scheduler.tick()
        farm.redis.flushdb()
        wait_until(lambda: (farm.scheduler.tick(), farm.waiting("build"))[1] == 3, 5, "the messages to be sent again")


def test_a_message_that_still_waits_is_not_doubled(database_url: str, broker_url: str) -> None:
    with closing(Farm(database_url, broker_url, resend_s=0.01)) as farm:
        farm.scheduler.tick()
        threading.Event().wait(0.05)  # longer than resend_s
        farm.scheduler.tick()
        assert farm.waiting("build") == 3


def test_work_waits_in_the_database_while_the_broker_is_away(
    database_url: str, restartable_broker: RunningBroker
) -> None:
    with closing(Farm(database_url, restartable_broker.url())) as farm:
        restartable_broker.kill()
        farm.scheduler.tick()
        assert len(farm.candidates()) == 3
        restartable_broker.wipe()
        restartable_broker.start()
        farm.scheduler.tick()
        assert farm.waiting("build") == 3


def test_of_two_schedulers_one_plans(farm: Farm) -> None:
    with farm.database.transaction() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PLANNING_LOCK})
        farm.scheduler.tick()
        assert farm.candidates() == []
    farm.scheduler.tick()
    assert len(farm.candidates()) == 3


def test_a_new_scheduler_goes_on_where_the_last_one_died(farm: Farm, broker_url: str) -> None:
    farm.scheduler.tick()
    farm.work(Stage.BUILD)
    with closing(Broker(broker_url)) as broker:
        farm.scheduler = Scheduler(farm.database, broker, resend_s=30)
        farm.run_to_the_end()
    assert farm.search().status is ExperimentStatus.FINISHED
    assert len({row.digest for row in farm.candidates()}) == 5


def test_an_expired_lease_is_given_to_somebody_else(farm: Farm) -> None:
    farm.scheduler.tick()
    with farm.database.transaction() as session:
        first = session.scalars(select(EvaluationRow.id).order_by(EvaluationRow.id)).first()
        assert first is not None
        assert leases.claim(session, first, 1, owner="dead", lease_s=60)
        past = text("clock_timestamp() - interval '1 second'")
        session.execute(update(EvaluationRow).where(EvaluationRow.id == first).values(lease_expires_at=past))
    farm.scheduler.tick()
    with farm.database.transaction() as session:
        row = session.get_one(EvaluationRow, first)
        assert (row.status, row.attempt, row.code) == (EvaluationStatus.QUEUED, 2, "LeaseExpired")
    assert farm.waiting("build") == 4


def test_it_is_woken_by_a_notification_and_survives_a_restart_of_postgres(
    restartable_postgres: RunningPostgres, broker_url: str
) -> None:
    url = restartable_postgres.create_database("farm")
    migrate(url)
    stop = threading.Event()
    with closing(Farm(url, broker_url)) as farm:
        thread = threading.Thread(target=farm.scheduler.run, args=(stop,))
        thread.start()
        try:
            wait_until(lambda: farm.waiting("build") == 3, 10, "the first messages")
            restartable_postgres.kill()
            restartable_postgres.start()
            wait_until(lambda: worked(farm, Stage.BUILD), 10, "the test's own connections")
            wait_until(lambda: farm.waiting("train") == 3, 10, "messages after the restart")
        finally:
            stop.set()
            thread.join(10)
    assert not thread.is_alive()


def worked(farm: Farm, stage: Stage) -> bool:
    """False where the connection was one to the server before."""
    try:
        return farm.work(stage) > 0
    except DatabaseUnavailable:
        return False


def test_what_algorithms_see_is_read_once(farm: Farm) -> None:
    """The cache of ended candidates agrees with the database after any mixture of ends."""
    farm.scheduler.tick()
    farm.work(Stage.BUILD, error=BuildFailed("no"))
    farm.run_to_the_end()
    with farm.database.transaction() as session:
        fresh = candidates.members(session, farm.id)
    assert {member.number for member in fresh} == set(range(8))


def test_a_raised_limit_is_noticed_and_a_finished_search_goes_on(farm: Farm) -> None:
    farm.run_to_the_end()
    assert farm.search().status is ExperimentStatus.FINISHED
    with farm.database.transaction() as session:
        experiments.change_limit(session, farm.id, 7)
    farm.run_to_the_end()
    assert farm.search().status is ExperimentStatus.FINISHED
    assert len(farm.candidates()) == 7


def test_a_candidate_that_runs_again_is_judged_anew(farm: Farm) -> None:
    farm.run_to_the_end()
    first = farm.candidates()[0]
    with farm.database.transaction() as session:
        reruns.rerun(session, first.id)
    assert farm.search().status is ExperimentStatus.RUNNING
    farm.scheduler.tick()
    assert farm.work(Stage.MEASURE, latency_ms=9.0) == 1
    farm.scheduler.tick()
    assert farm.search().status is ExperimentStatus.FINISHED
    assert farm.candidates()[0].metrics["latency_ms@virtual"] == 9.0
    assert len(farm.candidates()) == 5


def announce(farm: Farm, name: str, kind: str, queues: tuple[str, ...], **details: object) -> None:
    with farm.database.transaction() as session:
        workers.register(session, WorkerFacts(name, kind, "here", 1, queues, "test", details))


def test_without_in_flight_there_are_as_many_candidates_as_the_farm_has_places(
    database_url: str, broker_url: str
) -> None:
    with closing(Farm(database_url, broker_url, in_flight=None, stop={"candidates": 100})) as farm:
        farm.scheduler.tick()
        assert len(farm.candidates()) == 8  # nothing is up yet
        announce(farm, "gpus", "worker", ("build", "compile", "train"), slots=12)
        announce(farm, "older", "worker", ("build", "compile", "train"))
        announce(farm, "phone", "agent", ("measure.virtual", "score.virtual"))
        announce(farm, "another", "agent", ("measure.other", "score.other"))
        announce(farm, "leader", "scheduler", ())
        farm.scheduler.tick()
        assert len(farm.candidates()) == 12 + 1 + 1 + 2
        with farm.database.transaction() as session:
            workers.retire(session, "older")
            session.execute(text("UPDATE workers SET heartbeat_at = now() - interval '2 min' WHERE name = 'gpus'"))
        farm.scheduler.tick()
        assert len(farm.candidates()) == 16  # those that are there come to their end


def test_a_written_in_flight_stands_whatever_the_farm_has(farm: Farm) -> None:
    announce(farm, "gpus", "worker", ("build", "compile", "train"), slots=12)
    farm.scheduler.tick()
    assert len(farm.candidates()) == 3


def test_more_messages_are_under_way_where_there_are_more_to_claim_them(database_url: str, broker_url: str) -> None:
    with closing(Farm(database_url, broker_url, in_flight=150, stop={"candidates": 200})) as farm:
        farm.scheduler.tick()
        assert farm.waiting("build") == 64
        announce(farm, "gpus", "worker", ("build", "compile", "train"), slots=100)
        announce(farm, "phone", "agent", ("measure.virtual", "score.virtual"))
        farm.scheduler.tick()
        assert farm.waiting("build") == 101


def by_chance(row: CandidateRow) -> float:
    return float(np.random.default_rng(row.number).random())


def by_depth(row: CandidateRow) -> float:
    return len(row.architecture["choices"]) / 200


def test_an_algorithm_that_doubts_its_model_says_so_once_and_once_when_it_relies_on_it_again(
    database_url: str, broker_url: str
) -> None:
    guided = {"algorithm": {"type": "surrogate_pareto", "pool": 50}, "in_flight": 8, "stop": {"candidates": 500}}
    objectives = [{"name": "miou", "goal": "maximize"}]
    with closing(Farm(database_url, broker_url, **guided, objectives=objectives, constraints=[])) as farm:
        farm.scheduler.tick()
        for _ in range(5):
            farm.train(by_chance)
            farm.restart()
        (doubt,) = farm.remarks()
        assert doubt.startswith("the model of miou predicts no better than chance")
        rounds = 0
        while farm.remarks()[-1] != ON_AGAIN and (rounds := rounds + 1) <= 15:
            farm.train(by_depth)
            farm.restart()
        # For a while the model may be now better and now worse than chance: each change is told, and nothing else.
        told = [remark == ON_AGAIN for remark in farm.remarks()]
        assert told == [place % 2 == 1 for place in range(len(told))]
        assert farm.remarks()[-1] == ON_AGAIN
