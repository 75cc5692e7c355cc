"""The life of a candidate as a pure state machine: what to queue next, when it is over, what to do about an error.

docs/lifecycle.md tells the same story in prose; change both together.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from paretofarm.errors import (
    CandidateError,
    LeaseExpired,
    LeaseLost,
    NoisyMeasurement,
    ParetofarmError,
    Unavailable,
    UserError,
    WorkerCrashed,
)
from paretofarm.metrics import Source, source_of
from paretofarm.objective import Constraint

_USERS: list[type[UserError]] = [UserError, *UserError.__subclasses__()]
HALTING_CODES = frozenset(kind.__name__ for kind in _USERS)
"""Errors that say nothing about the candidate: a missing data set, a wrong setting. The search waits for `resume`."""


class Stage(StrEnum):
    """One kind of work on a candidate; also the name of the Celery task that does it."""

    BUILD = "build"
    COMPILE = "compile"
    MEASURE = "measure"
    TRAIN = "train"
    SCORE = "score"


class CandidateStatus(StrEnum):
    """`proposed → running ⇄ paused`, `running → complete | infeasible | failed`.

    Paused: trained to a rung below the last, it waits for being promoted, and takes nobody's place meanwhile.
    """

    PROPOSED = "proposed"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETE = "complete"
    INFEASIBLE = "infeasible"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in (CandidateStatus.COMPLETE, CandidateStatus.INFEASIBLE, CandidateStatus.FAILED)

    @property
    def in_flight(self) -> bool:
        """Between proposal and end, with work to be done on it."""
        return self in (CandidateStatus.PROPOSED, CandidateStatus.RUNNING)


class EvaluationStatus(StrEnum):
    """`queued → leased → done | failed | cancelled`; a lost lease goes back to queued with attempt + 1."""

    QUEUED = "queued"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        return self in (EvaluationStatus.QUEUED, EvaluationStatus.LEASED)


@dataclass(frozen=True)
class Step:
    """What an evaluation is about: a stage, for one device class (compile, measure), one rung (train) or both.

    Both: compile, measure and score of the network as that rung has trained it.
    """

    stage: Stage
    device: str | None = None
    rung: int | None = None

    @property
    def queue(self) -> str:
        """Queue that carries its messages: the stage, and the device class where there is one."""
        return queue_name(self.stage, self.device)

    def __str__(self) -> str:
        about = [str(part) for part in (self.device, self.rung) if part is not None]
        return f"{self.stage.value}@{'/'.join(about)}" if about else self.stage.value


ON_DEVICE = (Stage.MEASURE, Stage.SCORE)
"""Work that needs a phone at hand: each device class has a queue of its own for it. Measuring gates, so it is first."""


def queue_name(stage: Stage, device: str | None = None) -> str:
    """Compile work needs no device at hand, so all device classes share its queue."""
    return f"{stage.value}.{device}" if stage in ON_DEVICE else stage.value


@dataclass(frozen=True)
class Plan:
    """What one experiment asks of every candidate.

    devices: device classes that any metric is asked for; rungs: number of training rungs (0: no trained metric is
    asked for); objectives: metric keys that must be known in the end; constraints: limits on any metric. by_promotion:
    a candidate goes on to a higher rung only where it was promoted (`fidelity.py`), else it passes through all.
    measure_trained: what is measured is the trained network, after the training: nobody waits to hear of its latency.
    """

    devices: tuple[str, ...]
    rungs: int
    objectives: tuple[str, ...]
    constraints: tuple[Constraint, ...]
    by_promotion: bool = False
    measure_trained: bool = False

    @property
    def measured_first(self) -> bool:
        """A constraint on a measured or compiled metric gates training: phones are cheaper than GPUs."""
        return any(constraint.device is not None and not constraint.metric.trained for constraint in self.constraints)

    @property
    def measured(self) -> tuple[str, ...]:
        """Device classes to measure on: those that a latency is asked for."""
        return self._devices(Source.MEASURE)

    @property
    def scored(self) -> tuple[str, ...]:
        """Device classes to score the trained network on."""
        return self._devices(Source.SCORE)

    def _devices(self, source: Source) -> tuple[str, ...]:
        keys = (*self.objectives, *(constraint.key for constraint in self.constraints))
        named = {key.partition("@")[2] for key in keys if source_of(key) is source}
        return tuple(device for device in self.devices if device in named)


@dataclass(frozen=True)
class EvaluationState:
    """As much of an evaluation as the state machine needs."""

    step: Step
    status: EvaluationStatus
    failure: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class Verdict:
    """The end of a candidate."""

    status: CandidateStatus
    reason: str | None = None


@dataclass(frozen=True)
class Advance:
    """Steps to queue now and, once a candidate is over, its verdict (its open evaluations are then cancelled).

    halt: why the whole search has to stop: an input of the user's is wrong, so that every candidate would fail alike.
    pause: it has reached the rung that it was promoted to, and waits.
    """

    queue: tuple[Step, ...] = ()
    verdict: Verdict | None = None
    halt: str | None = None
    pause: bool = False


def advance(plan: Plan, evaluations: Iterable[EvaluationState], metrics: Mapping[str, float]) -> Advance:
    """Decides what happens next to a candidate; idempotent: asking twice changes nothing."""
    states = {evaluation.step: evaluation for evaluation in evaluations}
    halt = next((_blame(state) for state in states.values() if _is_users(state)), None)
    if halt:
        return Advance(halt=halt)
    verdict = _failure(states) or _violation(plan, states, metrics)
    if verdict:
        return Advance(verdict=verdict)
    wanted = list(_due(plan, states))
    missing = tuple(step for step in wanted if step not in states)
    if missing or any(states[step].status.is_open for step in wanted):
        return Advance(queue=missing)
    if promoted_to(plan, states) < plan.rungs - 1:
        return Advance(pause=True)
    return Advance(verdict=_completion(plan, metrics))


def promoted_to(plan: Plan, steps: Container[Step]) -> int:
    """The rung that a candidate with these evaluations may train to: being queued for it is being promoted to it."""
    last = plan.rungs - 1
    if not plan.by_promotion:
        return last
    return next((rung for rung in range(last, 0, -1) if Step(Stage.TRAIN, rung=rung) in steps), min(0, last))


def _failure(states: Mapping[Step, EvaluationState]) -> Verdict | None:
    for state in states.values():
        if state.status is EvaluationStatus.FAILED:
            return Verdict(CandidateStatus.FAILED, _blame(state))
    return None


def _is_users(state: EvaluationState) -> bool:
    return state.status is EvaluationStatus.FAILED and state.code in HALTING_CODES


def _blame(state: EvaluationState) -> str:
    return f"{state.step}: {state.failure or 'failed'}"


def _violation(plan: Plan, states: Mapping[Step, EvaluationState], metrics: Mapping[str, float]) -> Verdict | None:
    """Trained metrics are held to their limits when the training is over: they may still get better."""
    trained = _done(Step(Stage.TRAIN, rung=plan.rungs - 1), states)
    for constraint in plan.constraints:
        value = metrics.get(constraint.key) if trained or not constraint.metric.trained else None
        if value is not None and not constraint.holds(value):
            return Verdict(CandidateStatus.INFEASIBLE, f"{constraint.key} is {value:g}, must be {constraint.limits}")
    return None


def _due(plan: Plan, states: Mapping[Step, EvaluationState]) -> Iterable[Step]:
    """Every step whose predecessors are done, in the order in which it should be queued."""
    build = Step(Stage.BUILD)
    yield build
    if not _done(build, states):
        return
    gates = [step for device in plan.devices for step in _before_training(plan, device)]
    yield from (step for step in gates if _may_begin(step, states))
    if plan.measured_first and not all(_done(step, states) for step in gates):
        return
    top = promoted_to(plan, states)
    for rung in range(top + 1):
        train = Step(Stage.TRAIN, rung=rung)
        yield train
        if not _done(train, states):
            return
    if top < plan.rungs - 1:
        return
    yield from _after_training(plan, states)


def _before_training(plan: Plan, device: str) -> Iterable[Step]:
    """With random weights: whether and how fast the device class runs the network."""
    yield Step(Stage.COMPILE, device=device)
    if device in plan.measured and not plan.measure_trained:
        yield Step(Stage.MEASURE, device=device)


def _after_training(plan: Plan, states: Mapping[Step, EvaluationState]) -> Iterable[Step]:
    """How good the trained network is, and where that was not asked before how fast, as the device class runs it."""
    wanted = {Stage.MEASURE: plan.measured if plan.measure_trained else (), Stage.SCORE: plan.scored}
    for device in plan.devices:
        stages = [stage for stage, devices in wanted.items() if device in devices]
        steps = (Step(stage, device=device, rung=plan.rungs - 1) for stage in (Stage.COMPILE, *stages) if stages)
        yield from (step for step in steps if _may_begin(step, states))


def _may_begin(step: Step, states: Mapping[Step, EvaluationState]) -> bool:
    """What runs on a device needs what was compiled for it."""
    return step.stage not in ON_DEVICE or _done(replace(step, stage=Stage.COMPILE), states)


def _done(step: Step, states: Mapping[Step, EvaluationState]) -> bool:
    return step in states and states[step].status is EvaluationStatus.DONE


def _completion(plan: Plan, metrics: Mapping[str, float]) -> Verdict:
    missing = [key for key in plan.objectives if key not in metrics]
    if missing:
        return Verdict(CandidateStatus.FAILED, f"no evaluation reported {', '.join(missing)}")
    return Verdict(CandidateStatus.COMPLETE)


# Retry policy: the class of the error decides.

MAX_ATTEMPTS = 5
MAX_CRASHES = 3
MAX_NOISY_ATTEMPTS = 2


@dataclass(frozen=True)
class Retry:
    """Queue the evaluation again, attempt + 1, not before `delay_s` seconds from now."""

    delay_s: float


@dataclass(frozen=True)
class Fail:
    """The evaluation failed for good, and its candidate with it."""

    reason: str


@dataclass(frozen=True)
class Drop:
    """Somebody else owns the evaluation: write nothing."""


def decide(error: ParetofarmError, attempt: int) -> Retry | Fail | Drop:
    """What becomes of an evaluation whose `attempt` (from 1) ended with `error`."""
    if isinstance(error, LeaseLost):
        return Drop()
    if isinstance(error, CandidateError) or attempt >= _limit(error):
        return Fail(_reason(error, attempt))
    return Retry(_delay_s(error, attempt))


def _reason(error: ParetofarmError, attempt: int) -> str:
    tries = "" if attempt == 1 or isinstance(error, CandidateError) else f" ({attempt} attempts)"
    return f"{error.code}: {error.message}{tries}"


def _limit(error: ParetofarmError) -> int:
    if isinstance(error, NoisyMeasurement):
        return MAX_NOISY_ATTEMPTS
    if isinstance(error, WorkerCrashed):
        return MAX_CRASHES
    return MAX_ATTEMPTS if isinstance(error, Unavailable) else 1


def _delay_s(error: ParetofarmError, attempt: int) -> float:
    """Exponential: what is unavailable now is most likely still so in a second. A lost lease has waited enough."""
    if isinstance(error, LeaseExpired | NoisyMeasurement):
        return 0.0
    return float(min(2.0**attempt, 60.0))
