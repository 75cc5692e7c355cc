"""Mirroring images left to right, for classes that know left from right."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

_OTHER_SIDE = {"left_": "right_", "right_": "left_"}


class Mirror:
    """Mirrors single images in place. Classes named `left_x` and `right_x` swap, as a mirrored face's eyes do."""

    def __init__(self, class_names: Sequence[str], device: str | torch.device = "cpu") -> None:
        swapped = list(range(256))
        for index, name in enumerate(class_names):
            side = next((side for side in _OTHER_SIDE if name.startswith(side)), None)
            if side is not None and (partner := _OTHER_SIDE[side] + name.removeprefix(side)) in class_names:
                swapped[index] = class_names.index(partner)
        self._swapped = torch.tensor(swapped, dtype=torch.uint8, device=device)

    def apply(self, images: torch.Tensor, masks: torch.Tensor, chosen: npt.NDArray[np.bool_]) -> None:
        """Mirrors the chosen ones among images uint8 [N, H, W, 3] and masks uint8 [N, H, W]."""
        indices = torch.from_numpy(np.flatnonzero(chosen)).to(images.device)
        images[indices] = images[indices].flip(2)
        masks[indices] = self._swapped[masks[indices].flip(2).long()]
