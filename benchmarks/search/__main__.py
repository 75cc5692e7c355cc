"""python -m benchmarks.search --table FILE.npz --accuracy COLUMN --latency COLUMN --algorithm NAME --json

Without --json a table for people. Several algorithms, or several seeds, run one after the other; --processes side by
side. Hypervolumes are relative to the true front's: `hv` with the worst of the table as reference, `hv_median_ref` with
its medians, which is the one that tells algorithms apart.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.search.job import Job, run_apart

TABLE = Path(__file__).parents[1] / "data/nb201_hw.npz"


def main(argv: Sequence[str] | None = None) -> None:
    options = _options().parse_args(argv)
    jobs = [_job(options, seed) for seed in range(options.seeds)]
    with ThreadPoolExecutor(options.processes) as side_by_side:
        results = list(side_by_side.map(run_apart, jobs))
    last = str(options.evaluations)
    if options.json:
        document = {
            "hv": [result["hv"][last] for result in results],
            "hv_median_ref": [result["hv_median_ref"][last] for result in results],
            "seconds_per_proposal": float(np.mean([result["seconds_per_proposal"] for result in results])),
            "curves": {key: _means(results, key) for key in ("hv", "hv_median_ref")},
        }
        sys.stdout.write(json.dumps(document) + "\n")
        return
    problem = "hourglass" if options.problem == "hourglass" else f"{options.accuracy} × {options.latency}"
    sys.stdout.write(f"{problem}, {options.algorithm}, {options.seeds} seeds\n")
    for key in ("hv_median_ref", "hv"):
        values = np.array([list(result[key].values()) for result in results])
        cells = (f"{budget}: {mean:.3f}" for budget, mean in zip(results[0][key], values.mean(axis=0), strict=True))
        error = values[:, -1].std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
        sys.stdout.write(f"  {key:14} {'  '.join(cells)}  (± {error:.3f})\n")
    sys.stdout.write(f"  {np.mean([result['seconds_per_proposal'] for result in results]) * 1e3:.0f} ms a proposal\n")


def _job(options: argparse.Namespace, seed: int) -> Job:
    return Job(
        table=None if options.problem == "hourglass" else str(options.table),
        accuracy=options.accuracy,
        latency=options.latency,
        cheap_latency=options.cheap_latency,
        algorithm={"type": options.algorithm, **json.loads(options.settings)},
        evaluations=options.evaluations,
        in_flight=options.in_flight,
        seed=seed,
    )


def _means(results: Sequence[dict[str, Any]], key: str) -> dict[str, float]:
    return {budget: float(np.mean([result[key][budget] for result in results])) for budget in results[0][key]}


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--problem", choices=("table", "hourglass"), default="table", help="hourglass: one of formulas")
    parser.add_argument("--table", type=Path, default=TABLE, help="an .npz with `ops` and the columns named below")
    parser.add_argument("--accuracy", default="val_acc_200_cifar10", help="column of accuracies, %%")
    parser.add_argument("--latency", default="lat_pixel3", help="column of latencies, ms")
    parser.add_argument("--cheap-latency", action="store_true", help="latencies are known beforehand")
    parser.add_argument("--algorithm", default="surrogate_pareto", help="a `type:` of `algorithm:`")
    parser.add_argument("--settings", default="{}", help="the algorithm's other settings, JSON")
    parser.add_argument("--evaluations", type=int, default=200)
    parser.add_argument("--in-flight", type=int, default=1, help="candidates evaluated at a time")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    return parser


if __name__ == "__main__":
    main()
