"""The scheduler's policy on a virtual clock: how near to the busiest pool's limit it comes, and what it costs itself.

Run: python -m benchmarks.simulator [--in-flight N ...] [--models 400] [--gpus 20] [--phones 2] [--train-min 40] ...
or:  python -m benchmarks.simulator --large      10,000 workers and 1,000 phones

Decisions are the product's (scheduler/simulation); work is drawn: training log-normal, compile and phone constant.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from paretofarm.experiment import Experiment, parse_experiment
from paretofarm.lifecycle import CandidateStatus, Stage, queue_name
from scheduler.simulation import Durations, Farm, Hazards, Outcome, Pool, Work

DEVICE = "phone"
BUILD_S = 5.0
SPREAD = 0.5
"""Sigma of the trainings' log-normal: one in twenty takes twice the mean."""
MINUTE_S, HOUR_S = 60.0, 3600.0
IN_FLIGHT = (8, 16, 24, 32, 48, 64)


def main() -> None:
    options = _options()
    pools = _pools(options.gpus, options.compilers, options.phones)
    _say(f"{options.models:,} models, {', '.join(f'{pool.slots:,} {pool.name}' for pool in pools)}; training "
         f"{options.train_min:g} min (log-normal, sigma {SPREAD}), compile {options.compile_min:g}, phone "
         f"{options.phone_min:g} min; hazards per attempt: {options.hazard:.1%} each")  # fmt: skip
    for in_flight in [*options.in_flight, None]:
        _report(in_flight, pools, _simulate(options, pools, in_flight))


def _simulate(options: argparse.Namespace, pools: Sequence[Pool], in_flight: int | None) -> tuple[Outcome, float]:
    durations = Durations(
        {
            Stage.BUILD: BUILD_S,
            Stage.COMPILE: options.compile_min * MINUTE_S,
            Stage.MEASURE: options.phone_min * MINUTE_S,
            Stage.TRAIN: options.train_min * MINUTE_S,
        },
        {Stage.TRAIN: SPREAD},
    )
    hazards = Hazards(fails=options.hazard, unavailable=options.hazard, freezes=options.hazard)
    farm = Farm(
        experiment(options.models, in_flight, algorithm=options.algorithm),
        pools,
        Work(durations, hazards, options.seed),
        tick_s=options.tick_s,
    )
    started = time.perf_counter()
    return farm.run(), time.perf_counter() - started


def _report(in_flight: int | None, pools: Sequence[Pool], done: tuple[Outcome, float]) -> None:
    outcome, took_s = done
    bound_s = outcome.lower_bound_s(pools)
    complete = outcome.statuses[CandidateStatus.COMPLETE]
    shares = ", ".join(f"{pool.name} {outcome.busy_s[pool.name] / pool.slots / outcome.ended_s:.0%}" for pool in pools)
    _say(
        f"in_flight {in_flight or 'default':>7}: {outcome.ended_s / HOUR_S:6.2f} h, bound {bound_s / HOUR_S:6.2f} h "
        f"(+{outcome.ended_s / bound_s - 1:.1%}); busy: {shares}; {complete:,} complete of {len(outcome.proposals):,}, "
        f"{outcome.expired} leases expired, {outcome.late} late results; scheduler {outcome.ticks:,} ticks, "
        f"{outcome.cpu_s / len(outcome.proposals) * 1e3:.1f} ms CPU per candidate, "
        f"{outcome.cpu_s / outcome.ticks * 1e3:.1f} ms per tick; simulated in {took_s:.1f} s"
    )


def _pools(gpus: int, compilers: int, phones: int) -> tuple[Pool, ...]:
    """Machines that compile are their own pool; without any, whoever trains compiles too, cheap gates first."""
    phone = Pool("phones", (queue_name(Stage.MEASURE, DEVICE),), phones)
    if not compilers:
        return (Pool("GPUs", ("build", "compile", "train"), gpus), phone)
    return (Pool("GPUs", ("train",), gpus), Pool("compilers", ("build", "compile"), compilers), phone)


def experiment(models: int, in_flight: int | None, *, algorithm: str = "evolution_pareto") -> Experiment:
    document = {
        "name": "simulated",
        "seed": 7,
        "search_space": {"type": "hourglass", "input_size": 64},
        "algorithm": {"type": algorithm},
        "objectives": [
            {"name": "miou", "goal": "maximize"},
            {"name": "latency_ms", "goal": "minimize", "device": DEVICE},
        ],
        "training": {"type": "segmentation", "dataset": {"type": "face_synthetics", "path": "faces", "size": 64}},
        "measurement": {"runtime": "onnxruntime"},
        "stop": {"candidates": models},
        "in_flight": in_flight,
    }
    return parse_experiment(document, "simulator")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulator", description=__doc__)
    parser.add_argument("--models", type=int, default=400)
    parser.add_argument("--gpus", type=int, default=20)
    parser.add_argument("--compilers", type=int, default=0, help="0: GPUs compile, too")
    parser.add_argument("--phones", type=int, default=2)
    parser.add_argument("--train-min", type=float, default=40.0)
    parser.add_argument("--compile-min", type=float, default=10.0)
    parser.add_argument("--phone-min", type=float, default=6.0)
    parser.add_argument("--hazard", type=float, default=0.0, help="chance of failing, of being away, of freezing")
    parser.add_argument(
        "--in-flight", type=int, nargs="*", default=list(IN_FLIGHT), help="and what the farm makes the default"
    )
    parser.add_argument("--algorithm", default="evolution_pareto")
    parser.add_argument("--tick-s", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--large", action="store_true", help="10,000 workers, 1,000 phones, 15,000 models, 1 %% hazards"
    )
    options = parser.parse_args()
    if options.large:
        large = {
            "models": 15_000,
            "gpus": 10_000,
            "phones": 1_000,
            "in_flight": [],
            "hazard": 0.01,
            "tick_s": 10.0,
        }
        parser.set_defaults(**large)
        options = parser.parse_args()
    return options


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
