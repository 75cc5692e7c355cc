"""python -m benchmarks.search.suite: every problem, every algorithm, 20 seeds; tables and plots are kept beside it.

What was run is kept in `benchmarks/search/results.json` and not run again: delete lines of it, or the file, to have
them anew; more `--seeds` than were run are added. `--only WORD` runs what has it in its name. All of it takes some
hours on two cores; tables and plots are of what is there.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.search.job import Job, run_apart
from benchmarks.search.suite_plot import save_plot
from benchmarks.search.suite_table import write_tables

FOLDER = Path(__file__).parent
TABLE = FOLDER.parent / "data" / "nb201_hw.npz"
RESULTS = FOLDER / "results.json"
BASELINES = ("evolution_pareto", "nsga2", "local_search", "regularized_evolution", "random")
SURROGATE = "surrogate_pareto"


@dataclass(frozen=True)
class Problem:
    """table: None for the hourglass problem, else accuracy and latency are its columns."""

    name: str
    accuracy: str = ""
    latency: str = ""
    table: str | None = str(TABLE.relative_to(FOLDER.parents[1]))


PROBLEMS = (
    Problem("cifar10 × pixel3", "val_acc_200_cifar10", "lat_pixel3"),
    Problem("cifar100 × pixel3", "val_acc_200_cifar100", "lat_pixel3"),
    Problem("cifar10 × eyeriss", "val_acc_200_cifar10", "lat_eyeriss"),
    Problem("cifar100 × eyeriss", "val_acc_200_cifar100", "lat_eyeriss"),
    Problem("cifar100 × essential_ph_1", "val_acc_200_cifar100", "lat_essential_ph_1"),
    Problem("cifar10 × 2080ti_1", "val_acc_200_cifar10", "lat_2080ti_1"),
    Problem("hourglass", table=None),
)


@dataclass(frozen=True)
class Entry:
    """A line of a table: one algorithm, run in one way, on one problem."""

    problem: Problem
    algorithm: str
    evaluations: int
    in_flight: int = 1
    cheap_latency: bool = False
    is_long: bool = False

    @property
    def name(self) -> str:
        cheap = ", latency known" if self.cheap_latency else ""
        crowd = f", {self.in_flight} in flight" if self.in_flight > 1 else ""
        to_the_end = ", long" if self.is_long else ""
        return f"{self.problem.name}: {self.algorithm}{cheap}{crowd}{to_the_end}"

    def job(self, seed: int) -> Job:
        return Job(
            table=self.problem.table,
            accuracy=self.problem.accuracy,
            latency=self.problem.latency,
            cheap_latency=self.cheap_latency,
            algorithm={"type": self.algorithm},
            evaluations=self.evaluations,
            in_flight=self.in_flight,
            seed=seed,
        )


def entries() -> Iterator[Entry]:
    """All algorithms on all problems; on the first two also with latency known and with many in flight. What takes long
    comes last."""
    for problem in PROBLEMS:
        yield Entry(problem, SURROGATE, 200)
        yield from (Entry(problem, algorithm, 1000) for algorithm in BASELINES)
    for problem in PROBLEMS[:2]:
        yield Entry(problem, SURROGATE, 200, cheap_latency=True)
        yield Entry(problem, SURROGATE, 200, in_flight=16)
    for problem in PROBLEMS:
        yield Entry(problem, SURROGATE, 1000, is_long=True)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search.suite", description=__doc__)
    parser.add_argument("--only", default="", help="run only what has this in its name")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args(argv)
    results = _kept()
    for entry in entries():
        kept = results.get(entry.name, [])
        if options.only in entry.name and len(kept) < options.seeds:
            results[entry.name] = [*kept, *_run(entry, range(len(kept), options.seeds), options.processes)]
            RESULTS.write_text(_text(results), encoding="utf-8")
            sys.stdout.write(f"{entry.name}: done\n")
    write_tables(results, FOLDER / "results.md")
    save_plot(results, [problem.name for problem in PROBLEMS], FOLDER / "results.png")


def _run(entry: Entry, seeds: Iterable[int], processes: int) -> list[dict[str, Any]]:
    with ThreadPoolExecutor(processes) as side_by_side:
        return list(side_by_side.map(run_apart, map(entry.job, seeds)))


def _kept() -> dict[str, list[dict[str, Any]]]:
    return dict(json.loads(RESULTS.read_text(encoding="utf-8"))) if RESULTS.exists() else {}


def _text(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """One line per entry, so that deleting one is easy; three digits more than anybody reads."""
    lines = (f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(_short(runs))}" for name, runs in results.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _short(value: Any) -> Any:
    match value:
        case float():
            return round(value, 5)
        case Mapping():
            return {key: _short(each) for key, each in value.items()}
        case list() | tuple():
            return [_short(each) for each in value]
    return value


if __name__ == "__main__":
    main()
