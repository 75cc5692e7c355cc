"""The train task's loop against a plain hand-written PyTorch loop, and what a process of its own costs a job.

Run: python -m benchmarks.training. Same networks, same images, same epochs with validation, one thread; the two take
turns, so that whatever else the machine does hits both. Prints medians and their ratio.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
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


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        dataset = _dataset(Path(folder))
        for name, space, seed in (
            ("hourglass, convolutions", HourglassSpace(type="hourglass", **_SMALL), 1),
            ("hourglass, convolutions", HourglassSpace(type="hourglass", **_SMALL), 2),
            ("hourglass_mobile", HourglassMobileSpace(type="hourglass_mobile", **_SMALL), 3),
        ):
            _compare(name, space, space.search_space().sample(np.random.default_rng(seed)), dataset)
    _isolation()


_SMALL: Mapping[str, object] = {
    "input_size": SIDE,
    "base_channels": (8, 16),
    "hourglasses": (1,),
    "downsample_blocks": 4,
}


def _compare(name: str, space: Space, architecture: Architecture, dataset: Dataset) -> None:
    """Prints images per second of both loops; the first round only warms up."""
    ours, plain = [], []
    for _ in range(ROUNDS + 1):
        ours.append(_seconds(lambda: _train(_network(space, architecture), dataset)))
        plain.append(_seconds(lambda: _plain_training(_network(space, architecture), dataset)))
    count = len(dataset.splits[Split.TRAIN])
    rates = [count / statistics.median(times[1:]) for times in (ours, plain)]
    ratio = statistics.median(theirs / own for own, theirs in zip(ours[1:], plain[1:], strict=True))
    parameters = count_parameters(_network(space, architecture))
    _say(f"{name:26} {parameters:>9,} parameters: {rates[0]:6.0f} images/s, plain {rates[1]:6.0f}, ratio {ratio:.2f}")


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
