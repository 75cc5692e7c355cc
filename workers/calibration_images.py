"""The images that ranges of activations are taken from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch

from workers.datasets import Dataset, Split
from workers.toolchains import Image, Images
from workers.training.batches import to_input


@dataclass(frozen=True)
class _Repeatable:
    """Images that are made anew whenever somebody goes through them: they need not fit into memory."""

    count: int
    begin: Callable[[], Iterator[Image]]

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Image]:
        return self.begin()


def calibration_images(dataset: Dataset, wanted: int) -> Images:
    """The first of the calibration split."""
    images = dataset.splits[Split.CALIBRATION].images[:wanted]

    def begin() -> Iterator[Image]:
        for image in images:
            yield to_input(torch.from_numpy(np.array(image[None]))).contiguous().numpy()

    return _Repeatable(len(images), begin)


def noise(network: Path, wanted: int) -> Images:
    """For networks of which nobody knows what they should see; always the same."""
    dimensions = onnx.load(network).graph.input[0].type.tensor_type.shape.dim
    shape = [dimension.dim_value for dimension in dimensions]

    def begin() -> Iterator[Image]:
        rng = np.random.default_rng(0)
        for _ in range(wanted):
            yield rng.random(shape, dtype=np.float32)

    return _Repeatable(wanted, begin)
