"""The recipes `archai` and `strong` on the same networks, at equal epochs.

Run: python -m benchmarks.recipes [--epochs 12] [--networks 10] [--write FILE]

Networks of the demo's space, evenly spread over the MACs of a random sample; drawn faces at 64x64, 600 to train on and
248 that no training sees to judge by (a data set's own validation split, 2 %, would be a few faces). Trainings are the
train task's own loop, two at a time, one thread each. `--recipe` and `--set` try other settings.
"""

import argparse
import json
import multiprocessing
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from paretofarm.architecture import Architecture
from paretofarm.dataset import FaceSynthetics
from paretofarm.experiment import parse_experiment
from paretofarm.spaces.hourglass import HourglassSpace
from paretofarm.training import SegmentationTraining
from workers.datasets import Dataset, ImageMaskArrays, Split, open_dataset
from workers.datasets.faces import write_faces
from workers.networks import build_network, count_macs, count_parameters
from workers.training import train

DEMO = Path(__file__).parents[1] / "examples" / "faces_demo.yaml"
SIDE = 64
FACES = 1000
TRAINED_ON = 600
SAMPLE = 200
MOST_MACS = 6e7
CLASSES = 19


@dataclass(frozen=True)
class Job:
    """One training; `settings` are keys of `training:`."""

    network: int
    architecture: Mapping[str, Any]
    settings: Mapping[str, Any]
    folder: str


@dataclass(frozen=True)
class Row:
    """A network and its mIoU after each recipe."""

    macs: int
    parameters: int
    miou: Sequence[float]


def main() -> None:
    chosen = _options()
    with tempfile.TemporaryDirectory() as folder:
        place = chosen.faces or folder
        write_faces(Path(place, "faces"), FACES, SIDE, seed=7)
        _dataset(place)
        rows = _compare(chosen, place)
    lines = _table(rows, chosen)
    print("\n".join(lines))
    if chosen.write:
        chosen.write.write_text("\n".join([*_heading(chosen), *lines, ""]), encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recipes")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--networks", type=int, default=10)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--recipe", action="append", help="instead of archai and strong; several")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=JSON", help="for the last recipe alone")
    parser.add_argument("--faces", help="folder that keeps the faces for the next run")
    parser.add_argument("--write", type=Path, help="file for the table")
    return parser.parse_args()


def _compare(chosen: argparse.Namespace, folder: str) -> list[Row]:
    architectures = _spread(chosen.networks)
    recipes: list[dict[str, Any]] = [{"recipe": name} for name in chosen.recipe or ("archai", "strong")]
    recipes[-1] |= {key: json.loads(value) for key, value in (item.split("=", 1) for item in chosen.set)}
    jobs = [
        Job(number, architecture.to_dict(), {**recipe, "epochs": [chosen.epochs]}, folder)
        for number, architecture in enumerate(architectures)
        for recipe in recipes
    ]
    # Large networks first, so that no process is left alone with one at the end.
    with ProcessPoolExecutor(chosen.processes, multiprocessing.get_context("spawn")) as pool:
        scores = list(pool.map(_score, reversed(jobs)))[::-1]
    each = len(recipes)
    return [
        Row(*_costs(architecture), scores[each * number : each * (number + 1)])
        for number, architecture in enumerate(architectures)
    ]


def _score(job: Job) -> float:
    """mIoU at the end."""
    torch.set_num_threads(1)
    torch.manual_seed(job.network)
    network = build_network(_space(), Architecture.from_dict(job.architecture), CLASSES)
    document = {"type": "segmentation", "dataset": _faces(job.folder).model_dump(), **job.settings}
    settings = SegmentationTraining.model_validate(document)
    result = train(network, _dataset(job.folder), settings, epochs_total=settings.epochs[-1], seed=job.network)
    print(json.dumps({"network": job.network, **job.settings, "course": _course(result)}), flush=True)
    return result.metrics["miou"]


def _course(result: Any) -> list[float]:
    return [round(epoch.metrics["miou"], 4) for epoch in result.epochs]


def _space() -> HourglassSpace:
    space = parse_experiment(yaml.safe_load(DEMO.read_text(encoding="utf-8")), DEMO.name).search_space
    assert isinstance(space, HourglassSpace)
    return space


def _spread(count: int) -> list[Architecture]:
    """Networks by rising MACs, at equal distances in rank."""
    sample = [_space().search_space().sample(np.random.default_rng(seed)) for seed in range(SAMPLE)]
    costs = {architecture: _costs(architecture)[0] for architecture in sample}
    small = sorted((one for one in costs if costs[one] <= MOST_MACS), key=lambda one: costs[one])
    return [small[index] for index in np.linspace(0, len(small) - 1, count).round().astype(int)]


def _costs(architecture: Architecture) -> tuple[int, int]:
    """MACs and parameters."""
    network = build_network(_space(), architecture, CLASSES)
    return count_macs(network, (1, 3, SIDE, SIDE)), count_parameters(network)


def _faces(folder: str) -> FaceSynthetics:
    return FaceSynthetics(type="face_synthetics", path=Path(folder, "faces"), size=SIDE)


def _dataset(folder: str) -> Dataset:
    """The first part of the training split to train on, the rest of it to judge by."""
    dataset = open_dataset(_faces(folder), Path(folder, "cache"))
    whole = dataset.splits[Split.TRAIN]
    parts = {Split.TRAIN: slice(TRAINED_ON), Split.VALIDATION: slice(TRAINED_ON, None)}
    splits = {split: _part(whole, part) for split, part in parts.items()}
    return replace(dataset, splits={**dataset.splits, **splits})


def _part(split: ImageMaskArrays, part: slice) -> ImageMaskArrays:
    return ImageMaskArrays(split.images[part], split.masks[part], split.names[part])


def _heading(chosen: argparse.Namespace) -> list[str]:
    return [
        "# Recipes",
        f"Written by `python -m benchmarks.recipes --epochs {chosen.epochs}`: mIoU after {chosen.epochs} epochs on",
        f"{TRAINED_ON} drawn faces at {SIDE}x{SIDE}, over 248 others.",
        "",
    ]


def _table(rows: Sequence[Row], chosen: argparse.Namespace) -> list[str]:
    names = chosen.recipe or ["archai", "strong"]
    lines = [
        f"| MACs | parameters | {' | '.join(names)} | gain |",
        "|" + "---:|" * (len(names) + 3),
    ]
    for row in rows:
        scores = " | ".join(f"{score:.3f}" for score in row.miou)
        lines.append(f"| {row.macs / 1e6:.1f} M | {row.parameters:,} | {scores} | {row.miou[-1] - row.miou[0]:+.3f} |")
    means = [statistics.mean(row.miou[index] for row in rows) for index in range(len(names))]
    wins = sum(row.miou[-1] > row.miou[0] for row in rows)
    scores = " | ".join(f"{score:.3f}" for score in means)
    return [*lines, f"| mean | | {scores} | wins {wins} of {len(rows)} |"]


if __name__ == "__main__":
    main()
