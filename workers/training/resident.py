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

    @property
    def size_bytes(self) -> int:
        return self.images.nbytes + self.masks.nbytes


def nearest(
    split: ImageMaskArrays, device: torch.device, memory_share: int | None = None
) -> ImageMaskArrays | ResidentSplit:
    """The split where trainings read it fastest; main memory is near enough for a CPU.

    memory_share: bytes of the GPU that this training may count on, where it has not all of it: who comes first would
    take the room of those who come later.
    """
    if device.type != "cuda":
        return split
    free, _ = torch.cuda.mem_get_info(device)
    return ResidentSplit.of(split, device) if fits(split, min(free, memory_share or free)) else split


def fits(split: ImageMaskArrays, free_bytes: int) -> bool:
    return split.images.nbytes + split.masks.nbytes <= SHARE * free_bytes
