"""The state machine of a candidate, without any database."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    Advance,
    CandidateStatus,
    Drop,
    EvaluationState,
    EvaluationStatus,
    Fail,
    Plan,
    Retry,
    Stage,
    Step,
    Verdict,
    advance,
    decide,
)
from paretofarm.metrics import METRICS
from paretofarm.objective import Constraint

BUILD = Step(Stage.BUILD)
COMPILE = Step(Stage.COMPILE, device="virtual")
MEASURE = Step(Stage.MEASURE, device="virtual")
TRAIN = Step(Stage.TRAIN, rung=0)
COMPILE_TRAINED = Step(Stage.COMPILE, device="virtual", rung=0)
SCORE = Step(Stage.SCORE, device="virtual", rung=0)
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


def test_what_needs_a_phone_has_a_queue_per_device_class_and_the_rest_is_shared() -> None:
    queues = [step.queue for step in (BUILD, COMPILE, MEASURE, TRAIN, COMPILE_TRAINED, SCORE)]
    assert queues == ["build", "compile", "measure.virtual", "train", "compile", "score.virtual"]


def test_steps_say_which_device_class_and_rung_they_are_about() -> None:
    named = [str(step) for step in (BUILD, MEASURE, TRAIN, SCORE)]
    assert named == ["build", "measure@virtual", "train@0", "score@virtual/0"]


def scoring(*constraints: Constraint, rungs: int = 1) -> Plan:
    """Accuracy on the phone is all that is wanted."""
    return Plan(devices=("virtual",), rungs=rungs, objectives=("device_miou@virtual",), constraints=constraints)


def test_a_trained_network_is_compiled_once_more_and_then_scored_on_the_phone() -> None:
    done = (BUILD, COMPILE, TRAIN)
    assert advance(scoring(), states(done=done), {}).queue == (COMPILE_TRAINED,)
    assert advance(scoring(), states(done=done, leased=(COMPILE_TRAINED,)), {}) == Advance()
    assert advance(scoring(), states(done=(*done, COMPILE_TRAINED)), {}).queue == (SCORE,)
    end = advance(scoring(), states(done=(*done, COMPILE_TRAINED, SCORE)), {"device_miou@virtual": 0.4})
    assert end.verdict == Verdict(CandidateStatus.COMPLETE)


def test_only_the_last_rung_is_scored() -> None:
    done = (BUILD, COMPILE, TRAIN)
    assert advance(scoring(rungs=2), states(done=done), {}).queue == (Step(Stage.TRAIN, rung=1),)
    done = (*done, Step(Stage.TRAIN, rung=1))
    assert advance(scoring(rungs=2), states(done=done), {}).queue == (Step(Stage.COMPILE, "virtual", 1),)


def test_a_device_class_without_a_latency_is_not_measured_on() -> None:
    """A simulator of a processor has none."""
    assert (scoring().measured, scoring().scored) == ((), ("virtual",))
    both = Plan(("sim", "virtual"), 1, ("device_miou@sim", "latency_ms@virtual"), ())
    other = Step(Stage.COMPILE, device="sim")
    assert advance(both, states(done=(BUILD, COMPILE, other, TRAIN)), {}).queue == (
        MEASURE,
        Step(Stage.COMPILE, "sim", 0),
    )


def test_a_limit_on_what_only_a_trained_network_has_does_not_keep_training_back() -> None:
    accurate = Constraint(name="device_miou", device="virtual", at_least=0.5)
    assert advance(scoring(accurate), states(done=(BUILD,)), {}).queue == (COMPILE, TRAIN)
    end = advance(
        scoring(accurate), states(done=(BUILD, COMPILE, TRAIN, COMPILE_TRAINED, SCORE)), {"device_miou@virtual": 0.4}
    )
    assert end.verdict is not None and end.verdict.status is CandidateStatus.INFEASIBLE


def test_a_limit_on_what_compiling_tells_keeps_training_back_without_any_measurement() -> None:
    small = Constraint(name="network_bytes", device="virtual", at_most=1e6)
    assert advance(scoring(small), states(done=(BUILD,)), {}).queue == (COMPILE,)
    assert advance(scoring(small), states(done=(BUILD, COMPILE)), {}).queue == (TRAIN,)


NAMED = [f"{name}@{device}" for device in ("a", "b") for name in ("network_bytes", "latency_ms", "device_miou")]
LIMITS = [None, "network_bytes", "latency_ms", "device_miou"]


@settings(deadline=None, max_examples=200)
@given(
    objectives=st.lists(st.sampled_from(["miou", "macs", *NAMED]), min_size=1, max_size=3, unique=True),
    limited=st.sampled_from(LIMITS),
    rungs=st.integers(1, 3),
    data=st.data(),
)
def test_whatever_is_asked_for_and_in_whatever_order_work_ends_every_step_is_queued_once_in_its_turn(
    objectives: list[str], limited: str | None, rungs: int, data: st.DataObject
) -> None:
    constraints = () if limited is None else (Constraint(name=limited, device="a", at_least=0.1),)
    keys = [*objectives, *(constraint.key for constraint in constraints)]
    devices = tuple(sorted({key.partition("@")[2] for key in keys} - {""}))
    trained = any(METRICS[key.partition("@")[0]].trained for key in keys)
    asked = Plan(devices, rungs if trained else 0, tuple(objectives), constraints)
    finished: list[Step] = []
    queued: list[Step] = []
    while True:
        now = states(done=tuple(finished), queued=tuple(queued))
        step = advance(asked, now, {})
        assert not set(step.queue) & {*finished, *queued}
        queued += step.queue
        assert advance(asked, states(done=tuple(finished), queued=tuple(queued)), {}).queue == ()
        if not queued:
            break
        finished.append(queued.pop(data.draw(st.integers(0, len(queued) - 1))))
    assert step.verdict is not None, "the candidate comes to its end"
    assert set(finished) == _expected(asked)
    place = finished.index
    for work in finished:
        if work.stage in (Stage.MEASURE, Stage.SCORE):
            assert place(replace(work, stage=Stage.COMPILE)) < place(work)
        if work.stage is not Stage.TRAIN and work.rung is not None:
            assert place(Step(Stage.TRAIN, rung=work.rung)) < place(work)


def _expected(asked: Plan) -> set[Step]:
    last = asked.rungs - 1
    steps = {BUILD, *(Step(Stage.TRAIN, rung=rung) for rung in range(asked.rungs))}
    steps |= {Step(Stage.COMPILE, device) for device in asked.devices}
    steps |= {Step(Stage.MEASURE, device) for device in asked.measured}
    return steps | {Step(stage, device, last) for device in asked.scored for stage in (Stage.COMPILE, Stage.SCORE)}


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


def by_promotion() -> Plan:
    return replace(plan(rungs=3), by_promotion=True)


def trained(*done: int, queued: tuple[int, ...] = ()) -> list[EvaluationState]:
    trainings = {
        "done": (BUILD, COMPILE, MEASURE, *(Step(Stage.TRAIN, rung=rung) for rung in done)),
        "queued": tuple(Step(Stage.TRAIN, rung=rung) for rung in queued),
    }
    return states(**trainings)


def test_a_candidate_waits_at_the_rung_that_it_was_promoted_to() -> None:
    assert advance(by_promotion(), states(done=(BUILD,)), {}).queue == (COMPILE, TRAIN)
    assert advance(by_promotion(), trained(0), ALL_METRICS) == Advance(pause=True)
    assert advance(by_promotion(), trained(0, queued=(1,)), ALL_METRICS) == Advance()
    assert advance(by_promotion(), trained(0, 1), ALL_METRICS) == Advance(pause=True)
    assert advance(by_promotion(), trained(0, 1, 2), ALL_METRICS) == Advance(verdict=Verdict(CandidateStatus.COMPLETE))


def test_it_does_not_wait_before_it_is_measured_too() -> None:
    """Who goes on is decided by all objectives."""
    measured = states(done=(BUILD, COMPILE, TRAIN), queued=(MEASURE,))
    assert advance(by_promotion(), measured, {"miou": 0.5}) == Advance()


def test_without_promotion_a_candidate_passes_through_all_rungs() -> None:
    assert advance(plan(rungs=3), trained(0), ALL_METRICS).queue == (Step(Stage.TRAIN, rung=1),)


def test_a_limit_on_a_trained_metric_counts_when_the_training_is_over() -> None:
    strict = plan(Constraint(name="miou", at_least=0.6), rungs=2)
    assert advance(strict, trained(0), ALL_METRICS).queue == (Step(Stage.TRAIN, rung=1),)
    ended = advance(strict, trained(0, 1), ALL_METRICS).verdict
    assert ended == Verdict(CandidateStatus.INFEASIBLE, "miou is 0.5, must be at least 0.6")


def test_a_paused_candidate_has_not_ended_and_is_not_in_flight() -> None:
    assert not CandidateStatus.PAUSED.is_final
    assert not CandidateStatus.PAUSED.in_flight
    assert [status for status in CandidateStatus if status.in_flight] == [
        CandidateStatus.PROPOSED,
        CandidateStatus.RUNNING,
    ]
