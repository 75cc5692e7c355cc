"""Workers, phones, a broker and a scheduler on a virtual clock."""

import heapq
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count

from db.experiments import ExperimentStatus, StoredExperiment
from paretofarm.capacity import Capacity
from paretofarm.dispatching import URGENCY
from paretofarm.experiment import Experiment
from paretofarm.lifecycle import CandidateStatus, Stage
from scheduler.search import Search
from scheduler.simulation.store import Evaluation, MemoryStore
from scheduler.simulation.work import Attempt, Work


@dataclass(frozen=True)
class Pool:
    """So many workers or phones that all take from the same queues, the first queue first."""

    name: str
    queues: tuple[str, ...]
    slots: int


@dataclass
class Outcome:
    """What came of a simulation. cpu_s: of the scheduler's ticks; busy_s: of work, by pool."""

    ended_s: float = 0.0
    ticks: int = 0
    cpu_s: float = 0.0
    late: int = 0
    expired: int = 0
    busy_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    statuses: dict[CandidateStatus, int] = field(default_factory=dict)
    proposals: tuple[str, ...] = ()

    def lower_bound_s(self, pools: Sequence[Pool]) -> float:
        """What the busiest pool needs for the same work, were it never idle."""
        return max(self.busy_s[pool.name] / pool.slots for pool in pools)


class Farm:
    """One search with its pools.

    tick_s: shortest time between two ticks; news within it is one tick's. restarts: after so many ticks the scheduler
    is a new one, that knows only what is in the store; 0: never.
    """

    def __init__(
        self,
        experiment: Experiment,
        pools: Sequence[Pool],
        work: Work,
        *,
        tick_s: float = 1.0,
        lease_s: float = 60.0,
        restarts: int = 0,
    ) -> None:
        self._stored = StoredExperiment(
            id=1,
            name=experiment.name,
            experiment=experiment,
            status=ExperimentStatus.RUNNING,
            reason=None,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            finished_at=None,
        )
        self._work = work
        self._tick_s = tick_s
        self._lease_s = lease_s
        self._restarts = restarts
        self._pools = {
            queue: [pool for pool in pools if queue in pool.queues] for pool in pools for queue in pool.queues
        }
        self._idle = {pool.name: pool.slots for pool in pools}
        self._broker: dict[str, deque[tuple[Evaluation, int]]] = defaultdict(deque)
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._next_tick_s: float | None = None
        self._last_tick_s = -tick_s
        self._search = Search(self._stored)
        self.store = MemoryStore(experiment.rungs, _capacity(pools))
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Until the search is over and everything in flight has come to its end."""
        self._news()
        while self._agenda:
            self.store.now_s, _, happens = heapq.heappop(self._agenda)
            happens()
        self.outcome.ended_s = self.store.now_s
        self.outcome.proposals = tuple(each.architecture.digest for each in self.store.candidates)
        for candidate in self.store.candidates:
            self.outcome.statuses[candidate.status] = self.outcome.statuses.get(candidate.status, 0) + 1
        return self.outcome

    # The scheduler

    def _news(self) -> None:
        """Wakes the scheduler, as a notification of the database does."""
        self._tick_at(max(self.store.now_s, self._last_tick_s + self._tick_s))

    def _tick_at(self, at_s: float) -> None:
        if self._next_tick_s is None or at_s < self._next_tick_s:
            self._next_tick_s = at_s
            self._at(at_s, partial(self._tick, at_s))

    def _tick(self, planned_s: float) -> None:
        if planned_s != self._next_tick_s or self.store.is_over:
            return
        self._next_tick_s, self._last_tick_s = None, self.store.now_s
        if self._restarts and self.outcome.ticks % self._restarts == 0:
            self._search = Search(self._stored)
        started = time.process_time()
        self.outcome.expired += self.store.requeue_expired()
        self._search.plan(self.store, ExperimentStatus.RUNNING)
        sent = sorted(self.store.due(), key=lambda each: (URGENCY[each.step.stage], each.id))
        self.outcome.cpu_s += time.process_time() - started
        self.outcome.ticks += 1
        for evaluation in sent:
            self._broker[evaluation.step.queue].append((evaluation, evaluation.attempt))
        self._hand_out(sent)
        lapse_s = self.store.next_lapse_s
        if lapse_s is not None:
            self._tick_at(max(lapse_s, self.store.now_s + self._tick_s))

    # Workers and phones

    def _hand_out(self, sent: Sequence[Evaluation]) -> None:
        for queue in dict.fromkeys(evaluation.step.queue for evaluation in sent):
            for pool in self._pools.get(queue, ()):
                while self._idle[pool.name] and self._take(pool):
                    pass

    def _take(self, pool: Pool) -> bool:
        """Gives a free slot its next message; False where none waits."""
        for queue in pool.queues:
            while self._broker[queue]:
                evaluation, attempt = self._broker[queue].popleft()
                if self.store.claim(evaluation, attempt):
                    self._begin(pool, evaluation)
                    return True
        return False

    def _begin(self, pool: Pool, evaluation: Evaluation) -> None:
        self._idle[pool.name] -= 1
        drawn = self._work.attempt(evaluation.number, evaluation.step, evaluation.attempt)
        takes_s = drawn.duration_s
        if drawn.freezes:
            self.store.fall_silent(evaluation, self._lease_s)
            self._at(self.store.now_s + self._lease_s, self._news)
            takes_s += 2 * self._lease_s
        self.outcome.busy_s[pool.name] += takes_s
        self._at(self.store.now_s + takes_s, partial(self._finish, pool, evaluation, evaluation.attempt, drawn))
        self._news()  # room in the queue's window

    def _finish(self, pool: Pool, evaluation: Evaluation, attempt: int, drawn: Attempt) -> None:
        if drawn.error is not None:
            held = self.store.fail(evaluation, attempt, drawn.error)
        else:
            architecture = self.store.candidates[evaluation.number].architecture
            held = self.store.report(evaluation, attempt, self._work.metrics(architecture, evaluation.step))
        self.outcome.late += not held
        self._idle[pool.name] += 1
        self._take(pool)
        self._news()

    def _at(self, at_s: float, happens: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (at_s, next(self._order), happens))


def _capacity(pools: Sequence[Pool]) -> Capacity:
    """As live processes would tell it."""
    phones: dict[str, int] = defaultdict(int)
    slots = 0
    for pool in pools:
        measuring = [queue for queue in pool.queues if queue.startswith(f"{Stage.MEASURE.value}.")]
        for queue in measuring:
            phones[queue] += pool.slots
        slots += 0 if measuring else pool.slots
    return Capacity(slots, dict(phones))
