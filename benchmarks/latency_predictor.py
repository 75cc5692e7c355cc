"""How well a phone's latencies are predicted from few measurements, and what screening by that saves.

Run: python -m benchmarks.latency_predictor [--table FILE.npz] [--latency COLUMN] [--seeds 20] [--limit 0.1]

Random architectures of a table are measured one by one; the predictor is held against others.
`surrogate_pareto` knows latencies of other searches from the start, or does not. Then a search with a limit on the
latency (a quantile of the table) runs with and without `predictor: {screen: 0.02}`.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from benchmarks.search.outcome import LATENCY, OBJECTIVES
from benchmarks.search.problem import TableProblem
from benchmarks.search.run import search
from paretofarm.algorithms import AlgorithmSettings, SearchAlgorithm
from paretofarm.architecture import Architecture
from paretofarm.described import Inputs
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.objective import Constraint
from paretofarm.rank_correlation import kendall
from paretofarm.screening import propose_screened
from paretofarm.surrogates.latency_predictor import LatencyPredictor, learn

TABLE = Path(__file__).parent / "data/nb201_hw.npz"
BUDGETS = (20, 50, 100, 200)
HELD_OUT = 1000
NOTHING = 0.05
"""Of the median latency: networks below, whose input does not reach their output, are left out of the MAPE."""
SHARED = (0, 50, 200)
"""Latencies of random architectures that other searches have measured."""
SCREEN = 0.02
KNOWN_WELL = 20
"""As in scheduler/foresight.py."""
ALGORITHMS: tuple[dict[str, Any], ...] = (
    {"type": "random"},
    {"type": "evolution_pareto"},
    {"type": "surrogate_pareto"},
)


def main() -> None:
    options = _options()
    problem = TableProblem(options.table, options.accuracy, options.latency)
    _say(f"{options.latency}, {options.seeds} seeds: each held against {HELD_OUT:,} others")
    for budget in BUDGETS:
        found = np.array([_predicted(problem, budget, seed) for seed in range(options.seeds)])
        (mape, median, tau, coverage), spread = found.mean(axis=0), found.std(axis=0)
        errors = f"MAPE {mape:.1%} (± {spread[0]:.1%}), median {median:.1%} (± {spread[1]:.1%})"
        _say(f"  {budget:4} measurements: {errors}, Kendall's tau {tau:.3f} (± {spread[2]:.3f}), {coverage:.1%} "
             f"(± {spread[3]:.1%}) within the 95 % interval")  # fmt: skip
    for known in SHARED:
        scores = np.array([_shared(problem, known, options.evaluations, seed) for seed in range(options.searches)])
        told = ", ".join(
            f"{score:.3f} after {at}"
            for score, at in zip(scores.mean(axis=0), _looks(options.evaluations), strict=True)
        )
        _say(f"  {known:4} latencies of other searches: hypervolume {told} (± {_error(scores)[-1]:.3f})")
    at_most = problem.quantile(options.limit)
    told = f"{at_most:.2f} ms, which {options.limit:.0%} of all keep; {options.evaluations} evaluations"
    _say(f"limit: {told}, screened at {SCREEN:g}")
    for settings in ALGORITHMS:
        for screen in (None, SCREEN):
            run = partial(_search, problem, settings, at_most, screen, options.evaluations)
            runs = np.array([run(seed) for seed in range(options.searches)])
            (slow, volume), error = runs.mean(axis=0), _error(runs)
            name = f"{settings['type']}, {'screened' if screen else 'not screened'}"
            _say(f"  {name:32} {slow:.1%} (± {error[0]:.1%}) too slow, hypervolume {volume:.3f} (± {error[1]:.3f})")


def _predicted(problem: TableProblem, budget: int, seed: int) -> tuple[float, ...]:
    """MAPE, its median, tau and coverage."""
    architectures = drawn(problem, budget + HELD_OUT, seed)
    inputs = Inputs.of([problem.space.described.row(each) for each in architectures])
    latencies = np.array([problem.metrics(each)[LATENCY] for each in architectures])
    seen, others = np.arange(budget), np.arange(budget, len(latencies))
    predictor = LatencyPredictor.fit(inputs[seen], latencies[seen], np.zeros(budget))
    if predictor is None:
        raise SystemExit(f"{budget} measurements are too few")
    found, truth = predictor.forecast(inputs[others]), latencies[others]
    within = (found.low_ms <= truth) & (truth <= found.high_ms)
    errors = np.abs(found.latency_ms - truth) / truth
    return (
        float(np.mean(errors[truth >= NOTHING * np.median(truth)])),
        float(np.median(errors)),
        kendall(found.latency_ms, truth),
        float(np.mean(within)),
    )


def _error(runs: np.ndarray) -> np.ndarray:
    """Standard errors of the means over runs."""
    return np.asarray(runs.std(axis=0) / np.sqrt(len(runs)))


def _looks(evaluations: int) -> list[int]:
    return [evaluations * share // 100 for share in (40, 60, 100)]


def _shared(problem: TableProblem, known: int, evaluations: int, seed: int) -> list[float]:
    """Hypervolume relative to the true front's, with the table's medians as reference, after 40, 60 and 100 %."""
    others = drawn(problem, known, 1000 + seed)
    members = [
        Member(-1 - place, each.digest, CandidateStatus.PAUSED, {LATENCY: problem.metrics(each)[LATENCY]})
        for place, each in enumerate(others)
    ]
    algorithm: SearchAlgorithm = TypeAdapter(AlgorithmSettings).validate_python({"type": "surrogate_pareto"})
    told = list(zip(members, others, strict=True))
    course = search(problem, algorithm, OBJECTIVES, evaluations=evaluations, seed=seed, measured=told)
    return [problem.scores(course.architectures[:look]).median for look in _looks(evaluations)]


def drawn(problem: TableProblem, count: int, seed: int) -> list[Architecture]:
    """Random architectures, all different."""
    rng = np.random.default_rng([seed, 2])
    found: dict[str, Architecture] = {}
    while len(found) < count:
        architecture = problem.space.sample(rng)
        found.setdefault(architecture.digest, architecture)
    return list(found.values())


def _search(
    problem: TableProblem, settings: dict[str, Any], at_most: float, screen: float | None, evaluations: int, seed: int
) -> tuple[float, float]:
    """Share of candidates that were too slow, and the hypervolume of the others relative to what the limit allows."""
    algorithm: SearchAlgorithm = TypeAdapter(AlgorithmSettings).validate_python(settings)
    limit = Constraint(name="latency_ms", device="table", at_most=at_most)
    architectures: list[Architecture] = []
    members: list[Member] = []
    while len(members) < evaluations:
        history = History(members, OBJECTIVES, [limit], dict(enumerate(architectures)))
        proposal = _propose(problem, algorithm, history, limit, screen, seed)
        metrics = problem.metrics(proposal)
        status = CandidateStatus.COMPLETE if limit.holds(metrics[LATENCY]) else CandidateStatus.INFEASIBLE
        members.append(Member(len(members), proposal.digest, status, metrics))
        architectures.append(proposal)
    kept = [
        each for each, member in zip(architectures, members, strict=True) if member.status is CandidateStatus.COMPLETE
    ]
    return 1.0 - len(kept) / len(members), problem.share(kept, at_most)


def _propose(
    problem: TableProblem,
    algorithm: SearchAlgorithm,
    history: History,
    limit: Constraint,
    screen: float | None,
    seed: int,
) -> Architecture:
    predictor = learn(history, problem.space, LATENCY) if screen else None
    if screen is None or predictor is None or predictor.measurements < KNOWN_WELL:
        return algorithm.propose(history, problem.space, count=1, seed=seed)[0].architecture

    def hopeless(drawn: Sequence[Architecture]) -> list[bool]:
        inputs = Inputs.of([problem.space.described.row(each) for each in drawn])
        return [chance < screen for chance in predictor.probability(inputs, None, limit.at_most).tolist()]

    found = propose_screened(algorithm, history, problem.space, count=1, seed=seed, hopeless=hopeless)
    return found.proposals[0].architecture


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency_predictor", description=__doc__)
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--accuracy", default="val_acc_200_cifar10")
    parser.add_argument("--latency", default="lat_pixel3")
    parser.add_argument("--limit", type=float, default=0.1, help="share of the table that keeps the limit")
    parser.add_argument("--evaluations", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--searches", type=int, default=10, help="seeds of each search")
    return parser.parse_args()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
