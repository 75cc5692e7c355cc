"""The state machine of a candidate, without any database."""

import pytest

from paretofarm.errors import (
    AdbTimeout,
    ConversionFailed,
    LeaseExpired,
    LeaseLost,
    NoisyMeasurement,
    OutOfMemory,
    ParetofarmError,
    PhoneOffline,
    WorkerCrashed,
)
from paretofarm.lifecycle import (
    MAX_ATTEMPTS,
    MAX_CRASHES,
    MAX_NOISY_ATTEMPTS,
    CandidateStatus,
    Drop,
    EvaluationState,
    EvaluationStatus,
    Fail,
    Plan,
    Retry,
    Stage,
    Step,
    advance,
    decide,
)
from paretofarm.objective import Constraint

BUILD = Step(Stage.BUILD)
COMPILE = Step(Stage.COMPILE, device="virtual")
MEASURE = Step(Stage.MEASURE, device="virtual")
TRAIN = Step(Stage.TRAIN, rung=0)
SIZES = Constraint(name="parameters", at_most=1000)
LATENCY = Constraint(name="latency_ms", device="virtual", at_most=4)
ALL_METRICS = {"parameters": 10.0, "miou": 0.5, "latency_ms@virtual": 2.0}


def plan(*constraints: Constraint, rungs: int = 1) -> Plan:
    return Plan(
        devices=("virtual",), rungs=rungs, objectives=("miou", "latency_ms@virtual"), constraints=tuple(constraints)
    )


def states(**by_status: tuple[Step, ...]) -> list[EvaluationState]:
    return [EvaluationState(step, EvaluationStatus(status)) for status, steps in by_status.items() for step in steps]


def test_a_new_candidate_is_built_first() -> None:
    assert advance(plan(), [], {}).queue == (BUILD,)


def test_nothing_is_queued_twice() -> None:
    assert advance(plan(), states(queued=(BUILD,)), {}).queue == ()


def test_without_a_latency_limit_training_runs_beside_compiling() -> None:
    assert advance(plan(SIZES), states(done=(BUILD,)), {"parameters": 10}).queue == (COMPILE, TRAIN)


def test_a_latency_limit_keeps_training_back_until_the_phone_has_spoken() -> None:
    gated = plan(LATENCY)
    assert advance(gated, states(done=(BUILD,)), {}).queue == (COMPILE,)
    assert advance(gated, states(done=(BUILD, COMPILE)), {}).queue == (MEASURE,)
    assert advance(gated, states(done=(BUILD, COMPILE, MEASURE)), {"latency_ms@virtual": 3}).queue == (TRAIN,)


def test_a_candidate_that_is_too_slow_is_never_trained() -> None:
    end = advance(plan(LATENCY), states(done=(BUILD, COMPILE, MEASURE)), {"latency_ms@virtual": 4.5})
    assert end.queue == ()
    assert end.verdict is not None
    assert end.verdict.status is CandidateStatus.INFEASIBLE
    assert end.verdict.reason == "latency_ms@virtual is 4.5, must be at most 4"


def test_a_broken_static_limit_ends_a_candidate_after_its_build() -> None:
    end = advance(plan(SIZES), states(done=(BUILD,)), {"parameters": 1001})
    assert end.verdict is not None and end.verdict.status is CandidateStatus.INFEASIBLE


def test_rungs_follow_one_another() -> None:
    done = (BUILD, COMPILE, MEASURE, TRAIN)
    second = Step(Stage.TRAIN, rung=1)
    assert advance(plan(rungs=2), states(done=done), ALL_METRICS).queue == (second,)
    assert advance(plan(rungs=2), states(done=done, leased=(second,)), ALL_METRICS).verdict is None


def test_a_candidate_is_complete_when_everything_is_done() -> None:
    end = advance(plan(), states(done=(BUILD, COMPILE, MEASURE, TRAIN)), ALL_METRICS)
    assert end.verdict is not None and end.verdict.status is CandidateStatus.COMPLETE


def test_a_candidate_waits_for_what_is_still_open() -> None:
    assert advance(plan(), states(done=(BUILD, COMPILE, TRAIN), leased=(MEASURE,)), ALL_METRICS) == advance(
        plan(), states(done=(BUILD, COMPILE, TRAIN), queued=(MEASURE,)), ALL_METRICS
    )
    assert advance(plan(), states(done=(BUILD, COMPILE, TRAIN), leased=(MEASURE,)), ALL_METRICS).verdict is None


def test_a_failed_evaluation_fails_the_candidate_with_its_reason() -> None:
    broken = EvaluationState(COMPILE, EvaluationStatus.FAILED, "ConversionFailed: no Gelu")
    end = advance(plan(), [EvaluationState(BUILD, EvaluationStatus.DONE), broken], {})
    assert end.verdict is not None
    assert (end.verdict.status, end.verdict.reason) == (
        CandidateStatus.FAILED,
        "compile@virtual: ConversionFailed: no Gelu",
    )


def test_what_is_the_users_to_mend_stops_the_search_and_blames_no_candidate() -> None:
    missing = EvaluationState(TRAIN, EvaluationStatus.FAILED, "DataError: data/faces: no such folder", "DataError")
    step = advance(plan(), [EvaluationState(BUILD, EvaluationStatus.DONE), missing], {})
    assert step.verdict is None
    assert step.halt == "train@0: DataError: data/faces: no such folder"


def test_an_objective_that_nothing_reported_is_a_failure_not_a_hole() -> None:
    end = advance(plan(), states(done=(BUILD, COMPILE, MEASURE, TRAIN)), {"miou": 0.5})
    assert end.verdict is not None
    assert end.verdict.status is CandidateStatus.FAILED
    assert end.verdict.reason == "no evaluation reported latency_ms@virtual"


def test_a_search_without_training_only_measures() -> None:
    measuring = Plan(devices=("virtual",), rungs=0, objectives=("latency_ms@virtual",), constraints=())
    end = advance(measuring, states(done=(BUILD, COMPILE, MEASURE)), {"latency_ms@virtual": 1.0})
    assert end.verdict is not None and end.verdict.status is CandidateStatus.COMPLETE


def test_measure_queues_are_one_per_device_class_and_the_others_shared() -> None:
    assert [step.queue for step in (BUILD, COMPILE, MEASURE, TRAIN)] == ["build", "compile", "measure.virtual", "train"]


@pytest.mark.parametrize("error", [ConversionFailed("no Gelu"), OutOfMemory()])
def test_the_candidates_own_fault_is_never_retried(error: ParetofarmError) -> None:
    assert decide(error, 1) == Fail(f"{error.code}: {error.message}")


@pytest.mark.parametrize(
    ("kind", "limit"),
    [
        (PhoneOffline, MAX_ATTEMPTS),
        (AdbTimeout, MAX_ATTEMPTS),
        (LeaseExpired, MAX_ATTEMPTS),
        (WorkerCrashed, MAX_CRASHES),
        (NoisyMeasurement, MAX_NOISY_ATTEMPTS),
    ],
)
def test_what_is_nobodys_fault_is_retried_up_to_a_limit(kind: type[ParetofarmError], limit: int) -> None:
    decisions = [decide(kind(), attempt) for attempt in range(1, limit + 1)]
    assert all(isinstance(decision, Retry) for decision in decisions[:-1])
    assert decisions[-1] == Fail(f"{kind.__name__}: {kind().message} ({limit} attempts)")


def test_waiting_times_grow_but_not_for_ever() -> None:
    delays = [decision.delay_s for n in range(1, 5) if isinstance(decision := decide(PhoneOffline(), n), Retry)]
    assert delays == sorted(set(delays))
    assert max(delays) <= 60


def test_a_lost_lease_writes_nothing() -> None:
    assert decide(LeaseLost(), 1) == Drop()
