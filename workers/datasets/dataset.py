"""A data set as trainings see it: four splits of square uint8 images with class-id masks, mapped from disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from paretofarm.task import Task

IGNORE_INDEX = 255


class Split(StrEnum):
    """Disjoint parts of a data set. Calibration images serve quantization only: no training or score sees them."""

    TRAIN = "train"
    VALIDATION = "validation"
    CALIBRATION = "calibration"
    TEST = "test"


@dataclass(frozen=True, eq=False)
class ImageMaskArrays:
    """One split: images uint8 [N, H, W, 3] (RGB), masks uint8 [N, H, W] (class ids, 255 = ignore), [N, 1, 1] where an
    image has one class. Read-only maps.
    """

    images: npt.NDArray[np.uint8]
    masks: npt.NDArray[np.uint8]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, eq=False)
class Dataset:
    """All splits of one data set at one image size. Every split holds at least one image."""

    name: str
    class_names: tuple[str, ...]
    splits: Mapping[Split, ImageMaskArrays]
    task: Task = Task.SEGMENTATION
    ignore_index: int = IGNORE_INDEX
