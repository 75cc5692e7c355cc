"""How many images go through a network at a time: the whole batch, or less where that does not fit into memory."""

import gc
import logging
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch

from paretofarm.errors import OutOfMemory
from workers.memory import first_line, is_out_of_memory

log = logging.getLogger(__name__)

T = TypeVar("T")


class MicroBatches:
    """Begins with whole batches; each time memory runs out, half as many images go through at a time, down to one.

    A size that was too much once is not tried again: in the next batch it would be too much once more.
    """

    def __init__(self, batch_size: int) -> None:
        self.size = batch_size
        self._whole = batch_size

    def fitted(self, work: Callable[[int], T]) -> T:
        """Does work that takes so many images at a time; begins it anew with half as many where it ran out of memory.

        Errors: those of the work; `OutOfMemory` where a network cannot be trained on as few images as would fit.
        """
        while True:
            try:
                return work(self.size)
            except (MemoryError, RuntimeError) as error:
                if self.size == 1 or not is_out_of_memory(error):
                    raise
                log.warning("%s images at a time are too many: %s", self.size, first_line(error))
            except ValueError as error:
                # Batch normalisation refuses a single value per channel, which one image of one pixel is.
                if self.size == self._whole:
                    raise
                raise OutOfMemory(f"{self.size} at a time, as would fit: {first_line(error)}") from error
            # Only here, without the error, has nobody a hold on the tensors of what failed.
            self.size = -(-self.size // 2)
            _give_back()


def parts(images: torch.Tensor, labels: torch.Tensor, size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Of a batch, as even as can be, each of at most so many images: a remainder of one would have no variance."""
    number = -(-len(images) // size)
    return zip(images.tensor_split(number), labels.tensor_split(number), strict=True)


def _give_back() -> None:
    gc.collect()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()
