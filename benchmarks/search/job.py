"""One search of one seed as a process of its own: `python -m benchmarks.search.job` with a job as JSON on stdin."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from benchmarks.search.hourglass import HourglassProblem
from benchmarks.search.outcome import OBJECTIVES
from benchmarks.search.problem import TableProblem
from benchmarks.search.run import search
from paretofarm.algorithms import AlgorithmSettings, SearchAlgorithm

BUDGETS = (40, 60, 100, 125, 150, 200, 300, 500, 1000)
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""The processes are what runs side by side."""


@dataclass(frozen=True)
class Job:
    """What to search, with what, how long. table: a path; None: the hourglass problem."""

    table: str | None
    accuracy: str
    latency: str
    cheap_latency: bool
    algorithm: dict[str, Any]
    evaluations: int
    in_flight: int
    seed: int


def run_apart(job: Job) -> dict[str, Any]:
    """Scores by budget, `hv` and `hv_median_ref`, and `seconds_per_proposal`."""
    argv = [sys.executable, "-m", "benchmarks.search.job"]
    done = subprocess.run(
        argv, input=json.dumps(asdict(job)), text=True, stdout=subprocess.PIPE, env={**os.environ, **ONE_THREAD}
    )
    if done.returncode:
        raise SystemExit(f"seed {job.seed} failed, see above")
    return dict(json.loads(done.stdout))


def run(job: Job) -> dict[str, Any]:
    problem = _problem(job)
    algorithm: SearchAlgorithm = TypeAdapter(AlgorithmSettings).validate_python(job.algorithm)
    course = search(problem, algorithm, OBJECTIVES, evaluations=job.evaluations, seed=job.seed, in_flight=job.in_flight)
    budgets = [*(budget for budget in BUDGETS if budget < job.evaluations), job.evaluations]
    scores = {budget: problem.scores(course.architectures[:budget]) for budget in budgets}
    return {
        "hv": {str(budget): score.worst for budget, score in scores.items()},
        "hv_median_ref": {str(budget): score.median for budget, score in scores.items()},
        "seconds_per_proposal": course.seconds_per_proposal,
    }


def _problem(job: Job) -> TableProblem | HourglassProblem:
    if job.table is None:
        return HourglassProblem(cheap_latency=job.cheap_latency)
    return TableProblem(Path(job.table), job.accuracy, job.latency, cheap_latency=job.cheap_latency)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(Job(**json.load(sys.stdin)))) + "\n")
