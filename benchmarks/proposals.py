"""How long a proposal takes with 10,000 finished candidates, one at a time and in batches, and whether memory grows.

Run: OMP_NUM_THREADS=1 python -m benchmarks.proposals. Prints medians of processor time. As in a scheduler, that keeps
the members of a search and makes a History of them at every tick, knowing the one before: that is measured too. The
naive ranking compares every pair, front by front.
"""

import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from paretofarm.algorithms import EvolutionPareto, RandomSearch, SearchAlgorithm, SurrogatePareto
from paretofarm.architecture import Architecture
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import Goal
from paretofarm.objective import Constraint, Objective
from paretofarm.pareto import non_domination_rank
from paretofarm.spaces import HourglassSpace

CANDIDATES = 10_000
BATCH = 16
NAIVELY = 1_000
REPEATS = 15
LONG_S = 30
"""Of processor time, after which nothing is repeated any more."""
OBJECTIVES = (
    Objective(name="miou", goal=Goal.MAXIMIZE),
    Objective(name="latency_ms", goal=Goal.MINIMIZE, device="phone"),
    Objective(name="parameters", goal=Goal.MINIMIZE),
)
CONSTRAINTS = (Constraint(name="latency_ms", device="phone", at_most=1000),)
SPACE = HourglassSpace(type="hourglass", input_size=256).search_space()

Architectures = Mapping[int, Architecture]


def main() -> None:
    architectures = _architectures(CANDIDATES)
    members = _members(architectures)
    evolution = EvolutionPareto(type="evolution_pareto")
    surrogate = SurrogatePareto(type="surrogate_pareto")
    _say(f"medians of up to {REPEATS} runs, {CANDIDATES:,} finished candidates; a new History each time")
    reading = _median_ms(lambda: _copies(members))
    _say(f"  members made from rows, once for each scheduler: {reading:.1f} ms")
    for name, algorithm, objectives in (
        ("random", RandomSearch(type="random"), OBJECTIVES[:2]),
        ("evolution_pareto, 2 objectives", evolution, OBJECTIVES[:2]),
        ("evolution_pareto, 3 objectives", evolution, OBJECTIVES),
        ("surrogate_pareto, 2 objectives", surrogate, OBJECTIVES[:2]),
        ("surrogate_pareto, 3 objectives", surrogate, OBJECTIVES),
    ):
        _compare_batches(name, algorithm, objectives, members, architectures)
    for algorithm, calls in ((evolution, 200), (surrogate, 30)):
        _watch_memory(algorithm, calls, members, architectures)
    _compare_ranking(members, architectures)


def _compare_batches(
    name: str,
    algorithm: SearchAlgorithm,
    objectives: Sequence[Objective],
    members: Sequence[Member],
    architectures: Architectures,
) -> None:
    def propose(count: int, before: History | None) -> None:
        history = History(members, objectives, CONSTRAINTS, architectures, before=before)
        proposals = algorithm.propose(history, SPACE, count=count, seed=1)
        assert not any(proposal.remark for proposal in proposals), "the model is not relied on"

    before = _a_tick_ago(members, objectives, architectures)
    first = _median_ms(lambda: propose(1, None))
    alone, batch = _median_ms(lambda: propose(1, before)), _median_ms(lambda: propose(BATCH, before))
    each = f"{BATCH} {batch:8.1f} ms: {batch / BATCH:6.1f} ms each"
    _say(f"  {name:32} one, the first time {first:8.1f} ms, then one {alone:8.1f} ms, {each}")


def _a_tick_ago(members: Sequence[Member], objectives: Sequence[Objective], architectures: Architectures) -> History:
    """When the last of them were still running; it was asked for proposals."""
    running = [Member(member.number, member.digest, CandidateStatus.RUNNING, {}) for member in members[-BATCH:]]
    before = History([*members[:-BATCH], *running], objectives, CONSTRAINTS, architectures)
    RandomSearch(type="random").propose(before, SPACE, count=1, seed=0)
    assert len(before.points)
    return before


def _watch_memory(
    algorithm: SearchAlgorithm, calls: int, members: Sequence[Member], architectures: Architectures
) -> None:
    """What Python and numpy hold after many calls, beyond half as many, when the described architectures are full."""

    def propose(first: int, last: int) -> int:
        for seed in range(first, last):
            history = History(members, OBJECTIVES[:2], CONSTRAINTS, architectures)
            algorithm.propose(history, SPACE, count=BATCH, seed=seed)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    before, after = propose(0, calls // 2), propose(calls // 2, calls)
    tracemalloc.stop()
    name = getattr(algorithm, "type", "")
    _say(f"  memory after {calls} calls of {name}: {(after - before) / 1024:+.0f} KiB beyond that after {calls // 2}")


def _compare_ranking(members: Sequence[Member], architectures: Architectures) -> None:
    points = History(members, OBJECTIVES[:2], (), architectures).points
    all_ms = _median_ms(lambda: non_domination_rank(points))
    best_ms = _median_ms(lambda: non_domination_rank(points, enough=BATCH))
    _say(f"  rank {CANDIDATES:,}, 2 objectives                      {all_ms:8.1f} ms")
    _say(f"  the best {BATCH} of them                           {best_ms:8.1f} ms")
    few = points[:NAIVELY]
    quick = _median_ms(lambda: non_domination_rank(few))
    started = time.process_time()
    naive = _naive_rank(few)
    naive_ms = (time.process_time() - started) * 1e3
    equal = np.array_equal(naive, non_domination_rank(few))
    _say(f"  rank {NAIVELY:,}                                     {quick:8.1f} ms")
    _say(f"  rank {NAIVELY:,} naively                             {naive_ms:8.1f} ms, {naive_ms / quick:.0f}x")
    _say(f"  both ranks are {'equal' if equal else 'NOT equal'}")


def _naive_rank(points: np.ndarray) -> np.ndarray:
    ranks = np.zeros(len(points), dtype=np.int64)
    left = np.arange(len(points))
    rank = 0
    while len(left):
        rest = points[left]
        dominated = [bool(((rest <= p).all(axis=1) & (rest < p).any(axis=1)).any()) for p in rest]
        ranks[left] = rank
        left, rank = left[dominated], rank + 1
    return ranks


def _architectures(count: int) -> Architectures:
    rng = np.random.default_rng(0)
    return {number: SPACE.sample(rng) for number in range(count)}


def _members(architectures: Architectures) -> list[Member]:
    """As a search leaves them: latency grows with parameters, accuracy saturates, both noisy."""
    rng = np.random.default_rng(1)
    members: list[Member] = []
    for number, architecture in architectures.items():
        parameters = float(np.exp(SPACE.describe(architecture).numbers["log_parameters"]))
        latency = parameters**0.5 / 50 * rng.uniform(1, 1.5)
        miou = 0.9 - 20 / parameters**0.4 * rng.uniform(0.7, 1)
        metrics = {"parameters": parameters, "latency_ms@phone": latency, "miou": miou}
        members.append(Member(number, architecture.digest, CandidateStatus.COMPLETE, metrics))
    return members


def _copies(members: Sequence[Member]) -> list[Member]:
    return [Member(member.number, member.digest, member.status, member.metrics) for member in members]


def _median_ms(function: Callable[[], object]) -> float:
    times: list[float] = []
    while len(times) < REPEATS and sum(times) < LONG_S * 1e3:
        started = time.process_time()
        function()
        times.append((time.process_time() - started) * 1e3)
    return statistics.median(times)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
