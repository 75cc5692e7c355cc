"""What networks say of an image, and by which scores they are judged."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Task(StrEnum):
    """Segmentation tells the class of each pixel, classification that of the whole image.

    A class of an image is a mask of one pixel, [1, 1], and the logits that say so are [classes, 1, 1]: whatever
    compares and counts pixels then serves both.
    """

    SEGMENTATION = "segmentation"
    CLASSIFICATION = "classification"

    @property
    def scores(self) -> Mapping[str, str]:
        """Names of its scores, and what they are in `paretofarm.scores`. The first is what networks are judged by."""
        return _SCORES[self]

    @property
    def judged_by(self) -> str:
        return next(iter(self.scores))

    @property
    def counted(self) -> str:
        """What has a class: `pixels` or `images`."""
        return "pixels" if self is Task.SEGMENTATION else "images"

    def label_shape(self, height: int, width: int) -> tuple[int, int]:
        """Of the mask of an image of that size."""
        return (height, width) if self is Task.SEGMENTATION else (1, 1)


_SCORES: Mapping[Task, Mapping[str, str]] = MappingProxyType(
    {
        Task.SEGMENTATION: MappingProxyType({"miou": "miou", "f1": "f1", "pixel_accuracy": "accuracy"}),
        Task.CLASSIFICATION: MappingProxyType({"accuracy": "accuracy", "f1": "f1"}),
    }
)
