"""Mirroring images left to right, for classes that know left from right."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

_OTHER_SIDE = {"left_": "right_", "right_": "left_"}


class Mirror:
    """Mirrors single images in place. Classes named `left_x` and `right_x` swap, as a mirrored face's eyes do."""

    def __init__(self, class_names: Sequence[str]) -> None:
        self._swapped = np.arange(256, dtype=np.uint8)
        for index, name in enumerate(class_names):
            side = next((side for side in _OTHER_SIDE if name.startswith(side)), None)
            if side is not None and (partner := _OTHER_SIDE[side] + name.removeprefix(side)) in class_names:
                self._swapped[index] = class_names.index(partner)

    def apply(self, images: Bytes, masks: Bytes, chosen: npt.NDArray[np.bool_]) -> None:
        """Mirrors the chosen ones among images [N, H, W, 3] and masks [N, H, W]."""
        for index in np.flatnonzero(chosen):
            images[index] = images[index, :, ::-1].copy()
            masks[index] = self._swapped[masks[index, :, ::-1]]
