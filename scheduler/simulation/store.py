"""A search in memory: what Postgres holds of it, as far as the scheduler plans with it."""

from bisect import insort
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from db.candidates import CandidateState
from db.latencies import LatencyFeed
from paretofarm.algorithms import Proposal
from paretofarm.architecture import Architecture
from paretofarm.capacity import NOBODY, Capacity
from paretofarm.cost import Spent
from paretofarm.dispatching import room, window
from paretofarm.errors import LeaseExpired, ParetofarmError
from paretofarm.experiment import Experiment
from paretofarm.fidelity import Promotion
from paretofarm.final import Final
from paretofarm.history import History, Member
from paretofarm.lifecycle import (
    CandidateStatus,
    Drop,
    EvaluationState,
    EvaluationStatus,
    Fail,
    Retry,
    Stage,
    Step,
    Verdict,
    decide,
)
from paretofarm.metrics import rung_key
from paretofarm.racing import Contested, Repeated
from paretofarm.shared_latency import MeasuredLatency
from paretofarm.warm_start import Earlier


@dataclass
class Evaluation:
    """As in the table `evaluations`; times in seconds of the simulation's clock. attempt counts from 1."""

    id: int
    number: int
    step: Step
    status: EvaluationStatus = EvaluationStatus.QUEUED
    attempt: int = 1
    failures: int = 0
    not_before_s: float = 0.0
    lease_expires_s: float | None = None
    code: str | None = None
    reason: str | None = None

    @property
    def state(self) -> EvaluationState:
        return EvaluationState(self.step, self.status, self.reason, self.code)


@dataclass
class Candidate:
    """As in the table `candidates`; its number is its id."""

    architecture: Architecture
    proposal: Proposal
    status: CandidateStatus = CandidateStatus.PROPOSED
    metrics: dict[str, float] = field(default_factory=dict)
    rung: int | None = None
    evaluations: list[Evaluation] = field(default_factory=list)


class MemoryStore:
    """`SearchStore` and, beside it, what leases and dispatch do in the database. now_s is moved by the farm.

    rungs: total epochs at each, of a search that is trained. capacity: of the farm, which stays as it is.
    """

    def __init__(self, rungs: Sequence[int] = (), capacity: Capacity = NOBODY) -> None:
        self._rungs = tuple(rungs)
        self.capacity = capacity
        self.now_s = 0.0
        self.candidates: list[Candidate] = []
        self.is_over = False
        self.reason: str | None = None
        self.remarks: list[str] = []
        self._in_flight: dict[int, Candidate] = {}
        self._evaluations: list[Evaluation] = []
        self._waiting: dict[str, list[int]] = defaultdict(list)
        self._delayed: list[int] = []
        self._under_way: dict[str, int] = defaultdict(int)
        self._silent: deque[int] = deque()

    # What a plan asks for

    def in_flight(self) -> Sequence[CandidateState]:
        return [
            CandidateState(number, number, found.status, tuple(each.state for each in found.evaluations), found.metrics)
            for number, found in sorted(self._in_flight.items())
        ]

    def members(self, known: Collection[int]) -> Sequence[Member]:
        wanted = range(len(self.candidates)) if not known else self._unknown(known)
        return [self._member(number) for number in wanted]

    def architectures(self, inherited: Mapping[int, Architecture] | None) -> Mapping[int, Architecture]:
        return _Architectures(self.candidates)

    def curves(self, numbers: Collection[int]) -> Mapping[int, dict[str, list[float]]]:
        """Work in a simulation has no epochs."""
        return {number: {} for number in numbers}

    def earlier_searches(self, experiment: Experiment) -> Sequence[Earlier]:
        return ()

    def fresh_latencies(self, feed: LatencyFeed) -> Sequence[MeasuredLatency]:
        return ()

    def give_up_repetitions(self) -> None:
        """Work in a simulation has no noise: nothing is measured twice."""

    def repeated(self) -> Sequence[Repeated]:
        return ()

    def measure_again(self, chosen: Sequence[Contested]) -> int:
        return 0

    def spent(self) -> Spent:
        """Nobody's machines are at work."""
        return Spent()

    def propose(self, proposals: Sequence[Proposal]) -> int:
        for proposal in proposals:
            candidate = Candidate(proposal.architecture, proposal)
            self._in_flight[len(self.candidates)] = candidate
            self.candidates.append(candidate)
            self.queue(len(self.candidates) - 1, [Step(Stage.BUILD)])
        return len(proposals)

    def queue(self, candidate_id: int, steps: Sequence[Step]) -> None:
        for step in steps:
            evaluation = Evaluation(len(self._evaluations), candidate_id, step)
            self._evaluations.append(evaluation)
            self.candidates[candidate_id].evaluations.append(evaluation)
            self._waiting[step.queue].append(evaluation.id)

    def remark(self, text: str) -> None:
        self.remarks.append(text)

    def last_remark(self) -> str | None:
        return self.remarks[-1] if self.remarks else None

    def pause(self, candidate_id: int) -> None:
        self._in_flight.pop(candidate_id).status = CandidateStatus.PAUSED

    def promote(self, promotion: Promotion) -> None:
        candidate = self.candidates[promotion.number]
        if candidate.status is CandidateStatus.PAUSED:
            candidate.status = CandidateStatus.RUNNING
            self._in_flight[promotion.number] = candidate
            self.queue(promotion.number, [Step(Stage.TRAIN, rung=promotion.rung)])

    def finish(self, candidate_id: int, verdict: Verdict) -> None:
        candidate = self._in_flight.pop(candidate_id)
        candidate.status = verdict.status
        for evaluation in candidate.evaluations:
            if evaluation.status.is_open:
                self._leave_queue(evaluation)
                evaluation.status = EvaluationStatus.CANCELLED

    def stop(self, reason: str) -> bool:
        self.is_over, self.reason = True, reason
        return True

    def end(self, reason: str | None) -> None:
        self.is_over, self.reason = True, reason

    def begin_final(self, history: History, final: Final) -> None:
        """A simulation ends with its search."""

    # Messages

    def due(self) -> Iterator[Evaluation]:
        """Those to send now, the oldest first as far as each queue's window has room; they are under way then."""
        for evaluation_id in [each for each in self._delayed if self._evaluations[each].not_before_s <= self.now_s]:
            self._delayed.remove(evaluation_id)
            insort(self._waiting[self._evaluations[evaluation_id].step.queue], evaluation_id)
        for queue, waiting in self._waiting.items():
            count = min(room(self._under_way[queue], window(self.capacity.places)), len(waiting))
            sent, self._waiting[queue] = waiting[:count], waiting[count:]
            live = [
                self._evaluations[each] for each in sent if self._evaluations[each].status is EvaluationStatus.QUEUED
            ]
            self._under_way[queue] += len(live)
            yield from live

    # Leases

    def claim(self, evaluation: Evaluation, attempt: int) -> bool:
        """False for a stale message."""
        if evaluation.status is not EvaluationStatus.QUEUED or evaluation.attempt != attempt:
            return False
        self._leave_queue(evaluation)
        evaluation.status = EvaluationStatus.LEASED
        candidate = self.candidates[evaluation.number]
        if candidate.status is CandidateStatus.PROPOSED:
            candidate.status = CandidateStatus.RUNNING
        return True

    def report(self, evaluation: Evaluation, attempt: int, metrics: Mapping[str, float]) -> bool:
        """False for a late result: somebody else has the lease, or the candidate has ended."""
        if not self._holds(evaluation, attempt):
            return False
        evaluation.status = EvaluationStatus.DONE
        candidate, rung = self.candidates[evaluation.number], evaluation.step.rung
        candidate.metrics.update(metrics)
        if evaluation.step.stage is Stage.TRAIN and rung is not None:
            candidate.rung = rung
            if len(self._rungs) > 1:
                candidate.metrics |= {rung_key(name, self._rungs[rung]): value for name, value in metrics.items()}
        return True

    def fail(self, evaluation: Evaluation, attempt: int, error: ParetofarmError) -> bool:
        """False for a late one."""
        if not self._holds(evaluation, attempt):
            return False
        self._settle(evaluation, error)
        return True

    def fall_silent(self, evaluation: Evaluation, lease_s: float) -> None:
        """No heartbeat comes any more."""
        evaluation.lease_expires_s = self.now_s + lease_s
        self._silent.append(evaluation.id)

    def requeue_expired(self) -> int:
        """All leases are equally long, so they expire in the order in which they fell silent."""
        expired = 0
        while self._silent and (self._evaluations[self._silent[0]].lease_expires_s or 0.0) <= self.now_s:
            evaluation = self._evaluations[self._silent.popleft()]
            if evaluation.status is EvaluationStatus.LEASED and evaluation.lease_expires_s is not None:
                self._settle(evaluation, LeaseExpired("no sign of life"))
                expired += 1
        return expired

    @property
    def next_lapse_s(self) -> float | None:
        """When a lease expires or a delay ends next."""
        lapses = [self._evaluations[each].not_before_s for each in self._delayed]
        if self._silent:
            lapses.append(self._evaluations[self._silent[0]].lease_expires_s or 0.0)
        return min(lapses, default=None)

    def _settle(self, evaluation: Evaluation, error: ParetofarmError) -> None:
        match decide(error, evaluation.failures + 1):
            case Drop():
                return
            case Retry(delay_s):
                evaluation.status, evaluation.attempt = EvaluationStatus.QUEUED, evaluation.attempt + 1
                evaluation.not_before_s = self.now_s + delay_s
                self._delayed.append(evaluation.id)
            case Fail(reason):
                evaluation.status, evaluation.reason = EvaluationStatus.FAILED, reason
        evaluation.failures += 1
        evaluation.code, evaluation.lease_expires_s = error.code, None

    def _holds(self, evaluation: Evaluation, attempt: int) -> bool:
        return evaluation.status is EvaluationStatus.LEASED and evaluation.attempt == attempt

    def _leave_queue(self, evaluation: Evaluation) -> None:
        """One that is queued is under way, or waits and is passed over when its turn comes."""
        queue = evaluation.step.queue
        if evaluation.status is EvaluationStatus.QUEUED and evaluation.id not in self._delayed:
            if evaluation.id in self._waiting[queue]:
                self._waiting[queue].remove(evaluation.id)
            else:
                self._under_way[queue] -= 1

    def _unknown(self, known: Collection[int]) -> Iterator[int]:
        return (number for number in range(len(self.candidates)) if number not in known)

    def _member(self, number: int) -> Member:
        found = self.candidates[number]
        return Member(number, found.architecture.digest, found.status, dict(found.metrics), found.rung)


@dataclass(frozen=True)
class _Architectures(Mapping[int, Architecture]):
    candidates: Sequence[Candidate]

    def __getitem__(self, number: int) -> Architecture:
        return self.candidates[number].architecture

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.candidates)))

    def __len__(self) -> int:
        return len(self.candidates)
