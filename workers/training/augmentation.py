"""Batches of a training as the `augment:` setting wants them."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch

from paretofarm.training import AugmentationLevel
from workers.datasets import Dataset
from workers.training.batches import Batches
from workers.training.distortion import Distortion
from workers.training.mirror import Mirror


class Augmentation:
    """Chance comes from the generator given and from torch's global one, which the caller has seeded."""

    def __init__(self, level: AugmentationLevel, dataset: Dataset, device: torch.device) -> None:
        self._mirror = Mirror(dataset.class_names, device) if level != "none" else None
        self._distortion = Distortion(dataset.ignore_index, dataset.task) if level == "strong" else None

    def read(
        self, batches: Batches, order: Sequence[npt.NDArray[np.int64]], rng: np.random.Generator
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """As `Batches.read`."""

        def mirrored(images: torch.Tensor, masks: torch.Tensor) -> None:
            if self._mirror is not None:
                self._mirror.apply(images, masks, rng.random(len(images)) < 0.5)

        for images, labels in batches.read(order, mirrored):
            yield (images, labels) if self._distortion is None else self._distortion(images, labels)
