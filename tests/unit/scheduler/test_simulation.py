"""The scheduler's policy on a virtual clock: what it keeps busy, what it survives, and that chance decides nothing."""

from typing import Any

import pytest
from factories import DOCUMENT, make_experiment, make_proposal

from paretofarm.errors import LeaseExpired
from paretofarm.lifecycle import MAX_ATTEMPTS, CandidateStatus, EvaluationStatus, Stage, Step, decide, queue_name
from scheduler.simulation import Durations, Farm, Hazards, Outcome, Pool, Work
from scheduler.simulation.store import MemoryStore

MINUTE_S = 60.0
DURATIONS = Durations(
    {Stage.BUILD: 5.0, Stage.COMPILE: 10 * MINUTE_S, Stage.MEASURE: 6 * MINUTE_S, Stage.TRAIN: 40 * MINUTE_S},
    {Stage.TRAIN: 0.5},
)
NO_HAZARDS = Hazards()
POOLS = (Pool("gpus", ("build", "compile", "train"), 5), Pool("phones", (queue_name(Stage.MEASURE, "virtual"),), 1))


def simulate(
    *,
    candidates: int = 25,
    in_flight: int | None = 12,
    hazards: Hazards = NO_HAZARDS,
    pools: Any = POOLS,
    **options: Any,
) -> Outcome:
    algorithm = {"type": "evolution_pareto", "initial": 10}
    experiment = make_experiment(
        algorithm=algorithm, constraints=[], stop={"candidates": candidates}, in_flight=in_flight
    )
    return Farm(experiment, pools, Work(DURATIONS, hazards, seed=3), **options).run()


def test_every_candidate_comes_to_its_end_after_all_its_work() -> None:
    outcome = simulate(candidates=20)
    assert outcome.statuses == {CandidateStatus.COMPLETE: 20}
    assert outcome.busy_s["phones"] == pytest.approx(20 * 6 * MINUTE_S)
    assert outcome.busy_s["gpus"] > 20 * (10 * MINUTE_S + 5.0)
    assert outcome.ended_s >= outcome.lower_bound_s(POOLS)


def test_with_enough_in_flight_the_busiest_pool_is_never_idle_for_long() -> None:
    enough = simulate(candidates=80, in_flight=16)
    few = simulate(candidates=80, in_flight=3)
    assert enough.ended_s < 1.1 * enough.lower_bound_s(POOLS)
    assert few.ended_s > 1.4 * few.lower_bound_s(POOLS)


def test_without_in_flight_the_farm_says_how_many_keep_it_busy() -> None:
    pools = (Pool("gpus", POOLS[0].queues, 20), Pool("phones", POOLS[1].queues, 2))
    by_itself = simulate(candidates=60, in_flight=None, pools=pools)
    assert by_itself.proposals == simulate(candidates=60, in_flight=24, pools=pools).proposals
    assert by_itself.ended_s < simulate(candidates=60, in_flight=8, pools=pools).ended_s / 1.5


def test_the_same_seed_and_order_of_completion_give_the_same_proposals() -> None:
    first, second = simulate(), simulate()
    assert first.proposals == second.proposals
    assert len(set(first.proposals)) == 25


def test_another_order_of_completion_gives_others_but_the_same_first_generation() -> None:
    usual, narrow = simulate(), simulate(pools=(Pool("gpus", POOLS[0].queues, 2), POOLS[1]))
    assert usual.proposals[:10] == narrow.proposals[:10]
    assert usual.proposals != narrow.proposals


@pytest.mark.parametrize("every", [1, 7])
def test_schedulers_that_restart_in_the_middle_propose_the_same(every: int) -> None:
    hazards = Hazards(fails=0.05, unavailable=0.1, freezes=0.1)
    undisturbed, restarted = simulate(hazards=hazards), simulate(hazards=hazards, restarts=every)
    assert restarted.proposals == undisturbed.proposals
    assert restarted.statuses == undisturbed.statuses
    assert restarted.ended_s == undisturbed.ended_s


def test_rungs_are_promoted_as_by_the_real_scheduler() -> None:
    training = {**DOCUMENT["training"], "epochs": [1, 3]}
    fidelity = {"rungs": [1, 3], "promote": 0.33}
    experiment = make_experiment(
        training=training, fidelity=fidelity, constraints=[], stop={"candidates": 8}, in_flight=6
    )
    outcome = Farm(experiment, POOLS, Work(DURATIONS, seed=3)).run()
    assert outcome.statuses[CandidateStatus.COMPLETE] == 8
    assert outcome.statuses[CandidateStatus.PAUSED] >= 10
    assert outcome.proposals == Farm(experiment, POOLS, Work(DURATIONS, seed=3), restarts=3).run().proposals


def test_frozen_work_is_given_to_somebody_else_and_its_late_result_refused() -> None:
    outcome = simulate(hazards=Hazards(freezes=0.2))
    assert outcome.expired > 0
    assert outcome.late == outcome.expired
    assert outcome.statuses[CandidateStatus.COMPLETE] == 25


def test_what_is_nobodys_fault_is_tried_again_and_only_the_candidates_own_fault_ends_it() -> None:
    unavailable = simulate(hazards=Hazards(unavailable=0.2))
    assert unavailable.statuses.get(CandidateStatus.FAILED, 0) <= 1  # five failures in a row are rare
    assert unavailable.late == unavailable.expired == 0
    failing = simulate(hazards=Hazards(fails=0.1))
    assert failing.statuses[CandidateStatus.COMPLETE] == 25
    assert failing.statuses[CandidateStatus.FAILED] > 1


def test_a_farm_where_nobody_ever_answers_gives_up_after_the_usual_number_of_attempts() -> None:
    store = MemoryStore()
    farm = Farm(
        make_experiment(constraints=[], stop={"candidates": 3, "proposals": 5}),
        POOLS,
        Work(DURATIONS, Hazards(unavailable=1.0)),
    )
    farm.store = store
    outcome = farm.run()
    first = store.candidates[0].evaluations[0]
    assert (first.status, first.attempt, first.failures) == (EvaluationStatus.FAILED, MAX_ATTEMPTS, MAX_ATTEMPTS)
    assert set(outcome.statuses) == {CandidateStatus.FAILED}


def test_messages_beyond_the_window_wait_and_the_oldest_go_first() -> None:
    store = MemoryStore()
    store.propose([make_proposal() for _ in range(100)])
    first = [evaluation.number for evaluation in store.due()]
    assert first == list(range(64))
    assert list(store.due()) == []
    evaluation = store.candidates[0].evaluations[0]
    assert store.claim(evaluation, attempt=1)
    assert [each.number for each in store.due()] == [64]


def test_a_lease_that_expires_is_settled_as_the_database_settles_it() -> None:
    store = MemoryStore()
    store.propose([make_proposal()])
    (evaluation,) = store.due()
    assert store.claim(evaluation, attempt=1)
    store.fall_silent(evaluation, lease_s=60.0)
    store.now_s = 59.0
    assert store.requeue_expired() == 0
    store.now_s = 60.0
    assert store.requeue_expired() == 1
    assert (evaluation.status, evaluation.attempt, evaluation.code) == (EvaluationStatus.QUEUED, 2, "LeaseExpired")
    assert not store.claim(evaluation, attempt=1), "a stale message"
    assert not store.report(evaluation, 1, {}), "a late result"
    assert decide(LeaseExpired(), 1).delay_s == 0.0  # type: ignore[union-attr]
    assert [each.attempt for each in store.due()] == [2]


def test_work_is_drawn_by_candidate_step_and_attempt_alone() -> None:
    work = Work(DURATIONS, Hazards(unavailable=0.5), seed=1)
    train = Step(Stage.TRAIN, rung=0)
    assert work.attempt(4, train, 1).duration_s == work.attempt(4, train, 1).duration_s
    assert work.attempt(4, train, 1).duration_s != work.attempt(5, train, 1).duration_s
    times = [work.attempt(number, train, 1).duration_s for number in range(2000)]
    assert sum(times) / len(times) == pytest.approx(40 * MINUTE_S, rel=0.05)
