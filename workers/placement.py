"""Which GPU of a host a training goes to: the one with the most room, beside others as long as all fit into it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from workers.gpu import Gpu

TRAININGS_PER_GPU = 4
"""Where nobody says: small networks leave a GPU idle between their kernels, which a processor core has to launch."""

Promise = float | None
"""Bytes of a GPU's memory; None: all of it."""


@dataclass(frozen=True)
class Load:
    """Of one GPU. promises: to our trainings on it; others: bytes that it held while none of them was there."""

    gpu: Gpu
    promises: Sequence[Promise] = ()
    others: float = 0.0

    @property
    def room(self) -> float:
        """Bytes that nobody holds and nobody was promised; negative where promises turned out too small."""
        if self.gpu.memory_size is None:
            return math.inf
        promised = math.inf if None in self.promises else sum(each for each in self.promises if each is not None)
        return self.gpu.memory_size - max(self.gpu.memory_used or 0.0, promised + self.others)

    def takes(self, wanted: Promise) -> bool:
        """A training has a GPU without others however large it is: nothing would be gained by waiting.

        Where the GPU does not tell its memory, whoever runs the worker says by `--concurrency` how many it bears.
        """
        if not self.promises or self.gpu.memory_size is None:
            return True
        return wanted is not None and wanted <= self.room


def place(loads: Sequence[Load], wanted: Promise) -> Load | None:
    """Where a training fits best that needs so much; None: it has to wait until another has ended.

    Those with room for it come first, then those without others; among them the one with the most room, for that is
    where there is also the most computing left, and of equal ones the one with the fewest trainings.
    """
    able = [load for load in loads if load.takes(wanted)]
    fits = {id(load): wanted is not None and wanted <= load.room for load in able}
    return max(able, key=lambda load: (fits[id(load)], load.room, -len(load.promises)), default=None)


def default_slots(gpus: Sequence[Gpu], processors: int) -> int:
    """Trainings at a time: on GPUs some on each, as far as there are processors; else one a processor.

    One only on a GPU that does not tell its memory.
    """
    wanted = sum(1 if gpu.memory_size is None else TRAININGS_PER_GPU for gpu in gpus)
    return max(len(gpus), min(wanted, processors)) if gpus else processors


def even_share(gpu: Gpu, *, slots: int, gpus: int) -> int | None:
    """Bytes of a GPU for each of a worker's trainings, of as many as there usually are; None where it does not tell its
    memory."""
    usual = min(TRAININGS_PER_GPU, math.ceil(slots / gpus))
    return None if gpu.memory_size is None else int(gpu.memory_size / usual)
