"""Training seconds that rungs save: the same algorithm with and without `fidelity:`, on a table of trained networks.

Run: python -m benchmarks.multi_fidelity [--accuracy cifar10 | cifar100] [--promote 0.33] [--seeds 20]
    [--algorithm surrogate_pareto] [--evaluations 200] [--json]

NAS-Bench-201 with latencies of a Pixel 3 (benchmarks/data). A search of one rung trains every candidate for 200 epochs;
one of two rungs trains all for 12 epochs first, and those that are promoted for 200. What is promoted pays for its 200
epochs in full: the table's 12 epochs are a training of their own, with its own decay of the learning rate, and no
prefix of the other. Candidates finish in the order in which their trainings would, eight at a time, on a virtual clock;
what happens in between is the product's: `History`, `propose`, `promotions`.

Hypervolume: of error and latency, both scaled to the table's range, up to the table's medians, relative to the true
front's; of fully trained candidates only.
"""

import argparse
import heapq
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from paretofarm.algorithms import AlgorithmSettings, SearchAlgorithm
from paretofarm.architecture import Architecture
from paretofarm.fidelity import Fidelity, Wanted, promotions
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import Goal, rung_key
from paretofarm.objective import Objective
from paretofarm.pareto import hypervolume
from paretofarm.spaces.nas_bench_201 import NasBench201Space, OfficialNumbers

TABLE = Path(__file__).parent / "data" / "nb201_hw.npz"
EPOCHS = (12, 200)
IN_FLIGHT = 8
OBJECTIVES = (
    Objective(name="pixel_accuracy", goal=Goal.MAXIMIZE),
    Objective(name="latency_ms", goal=Goal.MINIMIZE, device="pixel3"),
)
SPACE = NasBench201Space(type="nas_bench_201").search_space()


@dataclass(frozen=True)
class Table:
    """accuracy: in %, shape [rungs, networks]; seconds: of training to each rung, likewise; latency: ms, [networks]."""

    numbers: OfficialNumbers
    accuracy: np.ndarray
    seconds: np.ndarray
    latency: np.ndarray

    @classmethod
    def load(cls, dataset: str) -> "Table":
        with np.load(TABLE, allow_pickle=False) as arrays:
            whole = arrays[f"train_time_200_{dataset}_s"].astype(np.float64)
            accuracy = np.stack([arrays[f"val_acc_{epochs}_{dataset}"] for epochs in EPOCHS]).astype(np.float64)
            latency = arrays["lat_pixel3"].astype(np.float64)
            return cls(OfficialNumbers(arrays["ops"]), accuracy, np.stack([whole * 12 / 200, whole]), latency)

    @property
    def points(self) -> np.ndarray:
        """Error and latency of every network, scaled to [0, 1]; shape [networks, 2]."""
        raw = np.stack([100 - self.accuracy[-1], self.latency], axis=1)
        return np.asarray((raw - raw.min(axis=0)) / (raw.max(axis=0) - raw.min(axis=0)))


@dataclass(frozen=True)
class Step:
    """A candidate was trained to the end. seconds: of training by all so far; value: relative hypervolume."""

    complete: int
    seconds: float
    value: float


@dataclass
class Search:
    """One search on a virtual clock. fidelity: None trains every candidate to the end at once."""

    table: Table
    algorithm: SearchAlgorithm
    fidelity: Fidelity | None
    seed: int
    members: list[Member] = field(default_factory=list)
    architectures: dict[int, Architecture] = field(default_factory=dict)
    running: list[tuple[float, int, int]] = field(default_factory=list)
    now: float = 0.0
    spent: float = 0.0

    def run(self, *, complete: int, seconds: float = np.inf) -> list[Step]:
        """Until so many candidates are fully trained, or so many seconds of training are spent."""
        points = self.table.points
        reference = np.median(points, axis=0)
        whole = hypervolume(points, reference)
        rows: list[int] = []
        steps: list[Step] = []
        while len(rows) < complete and self.spent < seconds:
            self._fill()
            number = self._next()
            if self.members[number].status is CandidateStatus.COMPLETE:
                rows.append(self.table.numbers.number(self.architectures[number]))
                value = hypervolume(points[rows], reference) / whole
                steps.append(Step(len(rows), self.spent, value))
        return steps

    def _fill(self) -> None:
        slots = IN_FLIGHT - len(self.running)
        history = History(self.members, OBJECTIVES, (), self.architectures, EPOCHS if self.fidelity else EPOCHS[-1:])
        if self.fidelity:
            chosen = promotions(history, self.fidelity, Wanted(slots=slots, complete=slots))
            for promotion in chosen:
                self._train(promotion.number, promotion.rung)
            slots -= len(chosen)
        for proposal in self.algorithm.propose(history, SPACE, count=slots, seed=self.seed):
            number = len(self.members)
            self.architectures[number] = proposal.architecture
            self.members.append(Member(number, proposal.architecture.digest, CandidateStatus.RUNNING, {}))
            self._train(number, 0)

    def _train(self, number: int, rung: int) -> None:
        before = self.members[number]
        self.members[number] = Member(number, before.digest, CandidateStatus.RUNNING, before.metrics, before.rung)
        row = self.table.numbers.number(self.architectures[number])
        duration = float(self.table.seconds[rung if self.fidelity else -1, row])
        heapq.heappush(self.running, (self.now + duration, number, rung))
        self.spent += duration

    def _next(self) -> int:
        """The training that ends first ends; whose it was."""
        self.now, number, rung = heapq.heappop(self.running)
        before = self.members[number]
        row = self.table.numbers.number(self.architectures[number])
        level = rung if self.fidelity else len(EPOCHS) - 1
        accuracy = float(self.table.accuracy[level, row]) / 100
        known = {"pixel_accuracy": accuracy, "latency_ms@pixel3": float(self.table.latency[row])}
        metrics = {**before.metrics, **known, rung_key("pixel_accuracy", EPOCHS[level]): accuracy}
        status = CandidateStatus.COMPLETE if level == len(EPOCHS) - 1 else CandidateStatus.PAUSED
        self.members[number] = Member(number, before.digest, status, metrics, rung)
        return number


@dataclass(frozen=True)
class Comparison:
    """single, rungs: steps by seed."""

    single: Sequence[Sequence[Step]]
    rungs: Sequence[Sequence[Step]]

    @property
    def target(self) -> float:
        """Mean hypervolume of the searches of one rung at their end."""
        return float(np.mean([steps[-1].value for steps in self.single]))

    @property
    def single_s(self) -> float:
        return float(np.mean([steps[-1].seconds for steps in self.single]))

    def seconds_to(self, target: float) -> float | None:
        """Training after which the mean hypervolume of the searches by rungs is the target; None where it never is."""
        grid = np.linspace(0, min(steps[-1].seconds for steps in self.rungs), 2000)
        mean = np.mean([_at(steps, grid) for steps in self.rungs], axis=0)
        reached = np.flatnonzero(mean >= target)
        return float(grid[reached[0]]) if len(reached) else None


def _at(steps: Sequence[Step], seconds: np.ndarray) -> np.ndarray:
    """Hypervolume after so many seconds of training."""
    places = np.searchsorted([step.seconds for step in steps], seconds, side="right")
    return np.array([0.0, *(step.value for step in steps)])[places]


def compare(table: Table, algorithm: SearchAlgorithm, fidelity: Fidelity, evaluations: int, seeds: int) -> Comparison:
    single = [Search(table, algorithm, None, seed).run(complete=evaluations) for seed in range(seeds)]
    rungs = []
    for seed in range(seeds):
        limit = single[seed][-1].seconds
        rungs.append(Search(table, algorithm, fidelity, seed).run(complete=evaluations, seconds=limit))
    return Comparison(single, rungs)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.multi_fidelity")
    parser.add_argument("--accuracy", choices=("cifar10", "cifar100"), action="append")
    parser.add_argument("--promote", type=float, default=0.33)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--algorithm", default="evolution_pareto", help="a `type:` of `algorithm:`")
    parser.add_argument("--evaluations", type=int, default=200, help="full trainings of the searches of one rung")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    fidelity = Fidelity(rungs=EPOCHS, promote=chosen.promote)
    for dataset in chosen.accuracy or ("cifar10", "cifar100"):
        algorithm: SearchAlgorithm = TypeAdapter(AlgorithmSettings).validate_python({"type": chosen.algorithm})
        found = compare(Table.load(dataset), algorithm, fidelity, chosen.evaluations, chosen.seeds)
        _tell(dataset, found, chosen)


def _tell(dataset: str, found: Comparison, chosen: argparse.Namespace) -> None:
    seconds = found.seconds_to(found.target)
    share = None if seconds is None else seconds / found.single_s
    ends = [steps[-1].value for steps in found.rungs]
    figures = {
        "accuracy": dataset,
        "algorithm": chosen.algorithm,
        "promote": chosen.promote,
        "seeds": chosen.seeds,
        "hv_single": found.target,
        "hv_rungs_at_equal_seconds": float(np.mean(ends)),
        "share_of_seconds_for_the_same_hv": share,
    }
    if chosen.json:
        print(json.dumps(figures))
        return
    reached = "never" if share is None else f"after {share:.0%} of the training seconds"
    print(
        f"{dataset} x pixel3, {chosen.algorithm}, {chosen.seeds} seeds: "
        f"one rung {found.target:.3f} after {chosen.evaluations} evaluations; "
        f"by rungs {np.mean(ends):.3f} at equal seconds, the same {reached}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
