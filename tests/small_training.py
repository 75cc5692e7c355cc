"""A data set and a network small enough to be trained in a unit test, yet hard enough that training shows."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from paretofarm.dataset import FaceSynthetics
from paretofarm.task import Task
from paretofarm.training import ClassificationTraining, SegmentationTraining
from workers.datasets import Dataset, ImageMaskArrays, Split

SIDE = 16
CLASS_NAMES = ("background", "left_ear", "right_ear", "nose")
SHAPE = (1, 3, SIDE, SIDE)


def rectangles(count: int, *, seed: int, side: int = SIDE) -> ImageMaskArrays:
    """Noise with one rectangle per class, of a brightness and colour of its own."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 60, (count, side, side, 3), dtype=np.uint8)
    masks = np.zeros((count, side, side), np.uint8)
    for image, mask in zip(images, masks, strict=True):
        for label in range(1, len(CLASS_NAMES)):
            top, left = rng.integers(0, side // 2, 2)
            area = np.s_[top : top + side // 3, left : left + side // 3]
            mask[area] = label
            image[area] = rng.integers(0, 40, (side // 3, side // 3, 3)) + np.eye(3, dtype=int)[label - 1] * 200
    return ImageMaskArrays(images, masks, tuple(f"{index:06}" for index in range(count)))


def small_dataset(*, train: int = 48, validation: int = 12, side: int = SIDE) -> Dataset:
    splits = {Split.TRAIN: train, Split.VALIDATION: validation, Split.CALIBRATION: 8, Split.TEST: 4}
    arrays = {split: rectangles(count, seed=seed, side=side) for seed, (split, count) in enumerate(splits.items())}
    return Dataset("rectangles", CLASS_NAMES, arrays)


class SmallNetwork(nn.Module):
    """An hourglass of one level: convolutions, batch-norm, dropout (so that randomness matters), bilinear resizing."""

    def __init__(self, channels: int = 8, classes: int = len(CLASS_NAMES)) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU())
        self.down = nn.Sequential(
            nn.Conv2d(channels, channels, 3, stride=2, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Dropout2d(0.1),
        )
        self.head = nn.Conv2d(channels, classes, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.stem(images)
        below = nn.functional.interpolate(self.down(features), scale_factor=2.0, mode="bilinear", align_corners=False)
        logits: torch.Tensor = self.head(features + below)
        return logits


def small_network(seed: int = 0) -> SmallNetwork:
    torch.manual_seed(seed)
    return SmallNetwork()


def small_settings(**changes: object) -> SegmentationTraining:
    dataset = FaceSynthetics(type="face_synthetics", path=Path("unused"), size=SIDE)
    return SegmentationTraining.model_validate(
        {
            "type": "segmentation",
            "dataset": dataset.model_dump(),
            "epochs": (4,),
            "batch_size": 8,
            "learning_rate": 5e-3,
            **changes,
        }
    )


def small_classification(*, train: int = 64, validation: int = 24) -> Dataset:
    """Noise with one rectangle of a class' own colour, which is the class of the whole image; two classes."""
    counts = {Split.TRAIN: train, Split.VALIDATION: validation, Split.CALIBRATION: 8, Split.TEST: 8}
    arrays = {split: _coloured(count, seed=seed) for seed, (split, count) in enumerate(counts.items())}
    return Dataset("coloured", ("left_half", "right_half"), arrays, Task.CLASSIFICATION)


def _coloured(count: int, *, seed: int) -> ImageMaskArrays:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 60, (count, SIDE, SIDE, 3), dtype=np.uint8)
    labels = rng.integers(0, 2, count).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        start = int(rng.integers(0, SIDE // 4)) + (SIDE // 2 if label else 0)
        image[4:12, start : start + 4] += 190
    return ImageMaskArrays(images, labels.reshape(count, 1, 1), tuple(f"{index:06}" for index in range(count)))


class SmallClassifier(nn.Module):
    """Tells where something is, so that its last convolution covers the image."""

    def __init__(self, channels: int = 8, classes: int = 2) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, stride=4, padding=1), nn.BatchNorm2d(channels), nn.ReLU())
        self.head = nn.Conv2d(channels, classes, SIDE // 4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.stem(images))
        return logits


def small_classifier(seed: int = 0) -> SmallClassifier:
    torch.manual_seed(seed)
    return SmallClassifier()


def classification_settings(**changes: object) -> ClassificationTraining:
    return ClassificationTraining.model_validate(
        {
            "type": "classification",
            "dataset": {"type": "idx", "path": "unused", "size": SIDE},
            "epochs": (6,),
            "batch_size": 8,
            "learning_rate": 1e-2,
            **changes,
        }
    )
