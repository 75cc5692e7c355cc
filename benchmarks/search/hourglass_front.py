"""What long searches find on the hourglass problem: python -m benchmarks.search.hourglass_front [--evaluations 5000].

Writes `benchmarks/data/hourglass_front.json`: the best of all searches together, and the medians and the worst of a
random sample, all as [error, ms]. Takes some 15 minutes.
"""

import argparse
import json
from collections.abc import Sequence

import numpy as np

from benchmarks.search.hourglass import KNOWN_FRONT, HourglassProblem
from benchmarks.search.outcome import OBJECTIVES
from benchmarks.search.run import search
from paretofarm.algorithms import EvolutionPareto, LocalSearch, Nsga2, SearchAlgorithm
from paretofarm.pareto import front

SAMPLE = 2000
ALGORITHMS: Sequence[SearchAlgorithm] = (
    Nsga2(type="nsga2", population=100),
    EvolutionPareto(type="evolution_pareto"),
    LocalSearch(type="local_search"),
)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search.hourglass_front", description=__doc__)
    parser.add_argument("--evaluations", type=int, default=5000)
    evaluations = parser.parse_args(argv).evaluations
    problem = HourglassProblem()
    rng = np.random.default_rng(0)
    sample = problem.raw([problem.space.sample(rng) for _ in range(SAMPLE)])
    found = [sample, *(_found(problem, algorithm, evaluations) for algorithm in ALGORITHMS)]
    points = np.concatenate(found)
    best = points[front(points)]
    document = {
        "front": best[np.argsort(best[:, 1])].round(6).tolist(),
        "median": np.median(sample, axis=0).tolist(),
        "worst": sample.max(axis=0).tolist(),
    }
    KNOWN_FRONT.write_text(json.dumps(document) + "\n", encoding="utf-8")


def _found(problem: HourglassProblem, algorithm: SearchAlgorithm, evaluations: int) -> np.ndarray:
    course = search(problem, algorithm, OBJECTIVES, evaluations=evaluations, seed=0, in_flight=8)
    return problem.raw(course.architectures)


if __name__ == "__main__":
    main()
