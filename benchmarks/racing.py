"""What measuring contested members of a front again is worth, in networks that are on it by right, and what it costs.

Run: python -m benchmarks.racing [--networks 300] [--seeds 20]

Random architectures of NAS-Bench-201 with their accuracies and Pixel 3 latencies; each measurement is off by a
log-normal error whose size its interval tells. `racing: {measurements: 3, candidates: 50}` against one measurement of
each, and three.
"""

import argparse
import math
import sys
from collections import defaultdict
from collections.abc import Callable

import numpy as np

from benchmarks.latency_predictor import TABLE, drawn
from benchmarks.search.outcome import ACCURACY, LATENCY, OBJECTIVES
from benchmarks.search.problem import TableProblem
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.pareto import front
from paretofarm.racing import Interval, Racing, Repeated, contested, pool
from paretofarm.sensitivity import NORMAL_QUANTILE

ERRORS = (0.01, 0.03, 0.05)
RACING = Racing()
DEVICE = "table"


class Phone:
    """Measures a network as often as it is asked to; what it has said so far."""

    def __init__(self, latencies: np.ndarray, error: float, seed: int) -> None:
        self._latencies, self._error = latencies, error
        self._rng = np.random.default_rng([seed, 3])
        self.told: dict[int, list[Interval]] = defaultdict(list)

    def measure(self, number: int) -> None:
        value = self._latencies[number] * math.exp(self._rng.normal(0.0, self._error))
        factor = math.exp(NORMAL_QUANTILE * self._error)
        self.told[number].append(Interval(value, value / factor, value * factor))

    @property
    def measurements(self) -> int:
        return sum(len(each) for each in self.told.values())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.racing", description=__doc__)
    parser.add_argument("--networks", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    problem = TableProblem(TABLE, "val_acc_200_cifar10", "lat_pixel3")
    ways: dict[str, Callable[[History, Phone], None]] = {"once": _nothing, "racing": _race, "three times": _everybody}
    for error in ERRORS:
        for name, way in ways.items():
            runs = np.array([_run(problem, options.networks, error, seed, way) for seed in range(options.seeds)])
            wrong, missing, size, cost = runs.mean(axis=0)
            sys.stdout.write(
                f"error {error:.0%}, {name:11}: front of {size:.1f}, {wrong:.2f} of it not by right, {missing:.2f} "
                f"missing; {cost:.2f} measurements a network\n"
            )


def _run(
    problem: TableProblem, networks: int, error: float, seed: int, way: Callable[[History, Phone], None]
) -> tuple[float, ...]:
    """Members of the front that are not on the true one, those that lack, its size; measurements per network."""
    metrics = [problem.metrics(each) for each in drawn(problem, networks, seed)]
    truth = np.array([[-each[ACCURACY], each[LATENCY]] for each in metrics])
    phone = Phone(truth[:, 1], error, seed)
    for number in range(networks):
        phone.measure(number)
    way(_history(truth, phone), phone)
    found = set(front(_history(truth, phone).points).tolist())
    right = set(front(truth).tolist())
    return len(found - right), len(right - found), len(found), phone.measurements / networks


def _history(truth: np.ndarray, phone: Phone) -> History:
    members = []
    for number, (loss, _) in enumerate(truth.tolist()):
        known = pool(phone.told[number])
        metrics = {ACCURACY: -loss, LATENCY: known.value}
        intervals = {LATENCY: (known.low, known.high)}
        members.append(Member(number, str(number), CandidateStatus.COMPLETE, metrics, intervals=intervals))
    return History(members, OBJECTIVES, (), {})


def _nothing(history: History, phone: Phone) -> None:
    pass


def _everybody(history: History, phone: Phone) -> None:
    for member in history.members:
        for _ in range(RACING.measurements - 1):
            phone.measure(member.number)


def _race(history: History, phone: Phone) -> None:
    truth = np.array([[-member.metrics[ACCURACY], 0.0] for member in history.members])
    while True:
        again = [(number, told) for number, told in phone.told.items() if len(told) > 1]
        repeated = [Repeated(number, DEVICE, len(told)) for number, told in again]
        chosen = contested(_history(truth, phone), RACING, repeated)
        if not chosen:
            return
        for each in chosen:
            phone.measure(each.number)


if __name__ == "__main__":
    main()
