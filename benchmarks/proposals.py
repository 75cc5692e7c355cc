"""How long one proposal takes with 10,000 finished candidates, from the rows to the architecture.

Run: python -m benchmarks.proposals. Prints medians; the naive ranking compares every pair, front by front.
"""

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from paretofarm.algorithms import EvolutionPareto, RandomSearch, SearchAlgorithm
from paretofarm.architecture import Architecture
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import Goal
from paretofarm.objective import Constraint, Objective
from paretofarm.pareto import non_domination_rank
from paretofarm.spaces import HourglassSpace

CANDIDATES = 10_000
NAIVELY = 1_000
REPEATS = 15
OBJECTIVES = (
    Objective(name="miou", goal=Goal.MAXIMIZE),
    Objective(name="latency_ms", goal=Goal.MINIMIZE, device="phone"),
    Objective(name="parameters", goal=Goal.MINIMIZE),
)
CONSTRAINTS = (Constraint(name="latency_ms", device="phone", at_most=1000),)
SPACE = HourglassSpace(type="hourglass", input_size=256).search_space()

Row = tuple[int, str, CandidateStatus, Mapping[str, float]]
Architectures = Mapping[int, Architecture]


def main() -> None:
    architectures = _architectures(CANDIDATES)
    rows = _rows(architectures)
    evolution = EvolutionPareto(type="evolution_pareto")
    _say(f"medians of {REPEATS} runs, {CANDIDATES:,} finished candidates; History built from rows each time")
    for name, algorithm, objectives in (
        ("random", RandomSearch(type="random"), OBJECTIVES[:2]),
        ("evolution_pareto, 2 objectives", evolution, OBJECTIVES[:2]),
        ("evolution_pareto, 3 objectives", evolution, OBJECTIVES),
    ):
        _say(f"  propose one, {name:32} {_propose_ms(algorithm, objectives, rows, architectures):8.1f} ms")
    _compare_ranking(rows, architectures)


def _propose_ms(
    algorithm: SearchAlgorithm, objectives: Sequence[Objective], rows: Sequence[Row], architectures: Architectures
) -> float:
    def propose() -> None:
        history = History([Member(*row) for row in rows], objectives, CONSTRAINTS, architectures)
        algorithm.propose(history, SPACE, count=1, seed=1)

    return _median_ms(propose)


def _compare_ranking(rows: Sequence[Row], architectures: Architectures) -> None:
    points = History([Member(*row) for row in rows], OBJECTIVES[:2], (), architectures).points
    all_ms = _median_ms(lambda: non_domination_rank(points))
    _say(f"  rank {CANDIDATES:,}, 2 objectives                      {all_ms:8.1f} ms")
    few = points[:NAIVELY]
    quick = _median_ms(lambda: non_domination_rank(few))
    started = time.perf_counter()
    naive = _naive_rank(few)
    naive_ms = (time.perf_counter() - started) * 1e3
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


def _rows(architectures: Architectures) -> list[Row]:
    """As a search leaves them: latency grows with parameters, accuracy saturates, both noisy."""
    rng = np.random.default_rng(1)
    rows: list[Row] = []
    for number, architecture in architectures.items():
        parameters = float(10 ** rng.uniform(5.5, 8))
        latency = parameters**0.5 / 50 * rng.uniform(1, 3)
        miou = 0.9 - 20 / parameters**0.3 * rng.uniform(0.2, 1)
        metrics = {"parameters": parameters, "latency_ms@phone": latency, "miou": miou}
        rows.append((number, architecture.digest, CandidateStatus.COMPLETE, metrics))
    return rows


def _median_ms(function: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        function()
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
