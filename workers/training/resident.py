"""A split that stays in a GPU's memory, where it fits: no image is copied there a second time."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from workers.datasets import ImageMaskArrays

SHARE = 0.25
"""Of the free memory that a split may take: the rest is for the training, and for others on the same GPU."""


@dataclass(frozen=True, eq=False)
class ResidentSplit:
    """images uint8 [N, H, W, 3], masks uint8 [N, H, W], both on the device of the training."""

    images: torch.Tensor
    masks: torch.Tensor

    @classmethod
    def of(cls, split: ImageMaskArrays, device: torch.device) -> "ResidentSplit":
        images, masks = (torch.from_numpy(np.array(array)).to(device) for array in (split.images, split.masks))
        return cls(images, masks)

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: npt.NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Copies of the chosen ones."""
        chosen = torch.from_numpy(indices).to(self.images.device)
        return self.images[chosen], self.masks[chosen]


def nearest(split: ImageMaskArrays, device: torch.device) -> ImageMaskArrays | ResidentSplit:
    """The split where trainings read it fastest; main memory is near enough for a CPU."""
    if device.type != "cuda":
        return split
    free, _ = torch.cuda.mem_get_info(device)
    return ResidentSplit.of(split, device) if fits(split, free) else split


def fits(split: ImageMaskArrays, free_bytes: int) -> bool:
    return split.images.nbytes + split.masks.nbytes <= SHARE * free_bytes
