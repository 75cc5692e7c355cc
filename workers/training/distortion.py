"""Images scaled, turned, shifted and in other colours, with masks that go along: the `strong` augmentation."""

import torch

from paretofarm.task import Task

TURN_DEGREES = 10.0
SHIFT = 0.05
"""Share of the side."""
SCALE = (0.9, 1.15)
COLOURS = {"brightness": 0.2, "contrast": 0.2, "saturation": 0.2, "hue": 0.02}
SHARE = 0.5
"""Of the images that are distorted, and, independently, of those that are coloured."""


class Distortion:
    """Draws from torch's global generator. Pixels that come from outside are black, and ignored in the mask.

    The class of a whole image stays what it was.
    """

    def __init__(self, ignore_index: int, task: Task = Task.SEGMENTATION) -> None:
        # Only here: trainings without it, and the fork server, need not load it.
        from kornia.augmentation import ColorJiggle, RandomAffine
        from kornia.constants import Resample

        self._ignore_index = ignore_index
        self._moves_labels = task is Task.SEGMENTATION
        self._nearest = Resample.NEAREST
        shift = (SHIFT, SHIFT)
        self._move = RandomAffine(TURN_DEGREES, translate=shift, scale=SCALE, p=SHARE)
        self._colour = ColorJiggle(**COLOURS, p=SHARE)

    def __call__(self, images: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """images float32 [N, 3, H, W] in [0, 1], labels int64 [N, H, W]; both stay what they are."""
        with torch.no_grad():
            moved = self._move(images)
            coloured = self._colour(moved).contiguous(memory_format=torch.channels_last)
            return coloured, self._labels(labels) if self._moves_labels else labels

    def _labels(self, labels: torch.Tensor) -> torch.Tensor:
        """Counted from 1 while they move, since what comes from outside is 0."""
        counted = (labels + 1).unsqueeze(1).float()
        moved = self._move(counted, params=self._move._params, resample=self._nearest).squeeze(1).round().long() - 1
        return torch.where(moved < 0, self._ignore_index, moved)
