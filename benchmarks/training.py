"""The train task's loop against a plain hand-written PyTorch loop and, with `--lightning` (`pip install '.[bench]'`),
against Archai's with PyTorch Lightning; and what a process of its own costs a job.

Run: python -m benchmarks.training. Same networks, same images, same epochs with validation, one thread; all take turns,
so that whatever else the machine does hits each. Prints medians, and the median of the ratios in each turn.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from paretofarm.architecture import Architecture
from paretofarm.dataset import FaceSynthetics
from paretofarm.spaces import HourglassMobileSpace, HourglassSpace
from paretofarm.training import SegmentationTraining
from workers.datasets import Dataset, ImageMaskArrays, Split
from workers.isolation import ForkServer
from workers.networks import build_network, count_parameters
from workers.training import train

SIDE = 64
CLASSES = 19
IMAGES = {Split.TRAIN: 256, Split.VALIDATION: 64, Split.CALIBRATION: 32, Split.TEST: 32}
BATCH = 16
ROUNDS = 5
FORKS = 30

Space = HourglassSpace | HourglassMobileSpace
Loop = Callable[[nn.Module], None]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training")
    parser.add_argument("--lightning", action="store_true")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        dataset = _dataset(Path(folder))
        loops = _loops(dataset, Path(folder), chosen.lightning)
        for name, space, seed in (
            ("hourglass, convolutions", HourglassSpace(type="hourglass", **_SMALL), 1),
            ("hourglass, convolutions", HourglassSpace(type="hourglass", **_SMALL), 2),
            ("hourglass_mobile", HourglassMobileSpace(type="hourglass_mobile", **_SMALL), 3),
        ):
            architecture = space.search_space().sample(np.random.default_rng(seed))
            _compare(name, partial(_network, space, architecture), loops, chosen.rounds)
    _isolation()


_SMALL: Mapping[str, object] = {
    "input_size": SIDE,
    "base_channels": (8, 16),
    "hourglasses": (1,),
    "downsample_blocks": 4,
}


def _loops(dataset: Dataset, folder: Path, lightning: bool) -> Mapping[str, Loop]:
    """By name; each trains the network for an epoch and validates it."""
    loops: dict[str, Loop] = {
        "ours": lambda network: _train(network, dataset),
        "plain": lambda network: _plain_training(network, dataset),
    }
    if lightning:
        from benchmarks.lightning_loop import train_with_lightning

        loops["Lightning, decoded images"] = lambda network: train_with_lightning(network, dataset, CLASSES, BATCH)
        loops["Lightning, PNG files"] = lambda network: train_with_lightning(
            network, dataset, CLASSES, BATCH, png_folder=folder / "png"
        )
    return loops


def _compare(name: str, network: Callable[[], nn.Module], loops: Mapping[str, Loop], rounds: int) -> None:
    """Prints images per second of each loop; the first round only warms up."""
    times: dict[str, list[float]] = {loop: [] for loop in loops}
    for _ in range(rounds + 1):
        for loop, trained in loops.items():
            times[loop].append(_seconds(partial(trained, network())))
    _say(f"{name}, {count_parameters(network()):,} parameters")
    for loop, seconds in times.items():
        ratios = [theirs / own for own, theirs in zip(times["ours"][1:], seconds[1:], strict=True)]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        rate = IMAGES[Split.TRAIN] / statistics.median(seconds[1:])
        _say(f"  {loop:26} {rate:6.0f} images/s, ours is {spread} times as fast")


def _train(network: nn.Module, dataset: Dataset) -> None:
    settings = SegmentationTraining(
        type="segmentation",
        dataset=FaceSynthetics(type="face_synthetics", path=Path("unused"), size=SIDE),
        epochs=(1,),
        batch_size=BATCH,
    )
    train(network, dataset, settings, epochs_total=1, seed=0)


def _plain_training(network: nn.Module, dataset: Dataset) -> None:
    """What one writes by hand: everything in memory, default memory format, default Adam; mIoU once an epoch."""
    images, labels = _tensors(dataset.splits[Split.TRAIN])
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-4)
    criterion = nn.CrossEntropyLoss(ignore_index=255)
    network.train()
    for batch in torch.split(torch.randperm(len(images)), BATCH):
        optimizer.zero_grad()
        loss = criterion(network(images[batch].float() / 255), labels[batch].long())
        loss.backward()
        optimizer.step()
    _plain_validation(network, dataset)


def _plain_validation(network: nn.Module, dataset: Dataset) -> float:
    images, labels = _tensors(dataset.splits[Split.VALIDATION])
    confusion = torch.zeros(CLASSES, CLASSES)
    network.eval()
    with torch.no_grad():
        for image, label in zip(torch.split(images, BATCH), torch.split(labels, BATCH), strict=True):
            predicted = network(image.float() / 255).argmax(1)
            known = label != 255
            pairs = label[known].long() * CLASSES + predicted[known]
            confusion += torch.bincount(pairs, minlength=CLASSES**2).view(CLASSES, CLASSES)
    union = confusion.sum(0) + confusion.sum(1) - confusion.diag()
    return float((confusion.diag() / union)[union > 0].mean())


def _tensors(split: ImageMaskArrays) -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.from_numpy(np.array(split.images)).permute(0, 3, 1, 2).contiguous()
    return images, torch.from_numpy(np.array(split.masks))


def _isolation() -> None:
    """A job that does nothing: what the fork, the messages and the reaping cost."""
    server = ForkServer(jobs="benchmarks.idle_job", environment={"PYTHONPATH": str(Path(__file__).parents[1])})
    try:
        server.run({"function": "idle", "parameters": {}}, lambda message: None, 60)
        job = {"function": "idle", "parameters": {}}
        times = [_seconds(lambda: server.run(job, lambda message: None, 60)) for _ in range(FORKS)]
    finally:
        server.stop()
    median_ms, worst_ms = 1000 * statistics.median(times), 1000 * max(times)
    _say(f"a process of its own costs a job {median_ms:.1f} ms (worst of {FORKS}: {worst_ms:.1f} ms)")


def _network(space: Space, architecture: Architecture) -> nn.Module:
    torch.manual_seed(0)
    return build_network(space, architecture, CLASSES)


def _dataset(folder: Path) -> Dataset:
    """Random rectangles, mapped from disk as a real data set is."""
    splits = {split: _rectangles(folder, split, count) for split, count in IMAGES.items()}
    return Dataset("rectangles", tuple(f"class{index}" for index in range(CLASSES)), splits)


def _rectangles(folder: Path, split: Split, count: int) -> ImageMaskArrays:
    rng = np.random.default_rng(list(Split).index(split))
    images = rng.integers(0, 80, (count, SIDE, SIDE, 3), dtype=np.uint8)
    masks = np.zeros((count, SIDE, SIDE), np.uint8)
    for image, mask in zip(images, masks, strict=True):
        for label in rng.integers(1, CLASSES, 8):
            (top, left), (height, width) = rng.integers(0, SIDE - 8, 2), rng.integers(8, SIDE // 2, 2)
            area = np.s_[top : top + height, left : left + width]
            mask[area] = label
            image[area] += np.uint8(8 * label)
    paths = folder / f"{split}_images.npy", folder / f"{split}_masks.npy"
    for path, array in zip(paths, (images, masks), strict=True):
        np.save(path, array)
    mapped = [np.load(path, mmap_mode="r") for path in paths]
    return ImageMaskArrays(mapped[0], mapped[1], tuple(str(index) for index in range(count)))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
