"""Trainings on the GPUs of a host: each asks for the memory that those before it needed, and tells what it needed."""

import logging
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any

from paretofarm.errors import OutOfMemory
from paretofarm.meter import NO_METER, Meter
from workers.gpu import Gpu, list_gpus
from workers.gpu_pool import GpuPool, Place
from workers.memory_needs import MemoryNeeds, PeakMemory
from workers.placement import Promise, even_share

log = logging.getLogger(__name__)

Result = dict[str, Any]
Run = Callable[[dict[str, Any], Callable[[PeakMemory], None]], Result]
"""Trains with these parameters more; tells at each epoch's end the memory that it has needed so far, if any."""


class GpuTrainings:
    """slots: how many there may be at a time. Safe to use from many threads."""

    def __init__(
        self, gpus: Sequence[Gpu], *, slots: int, look: Callable[[], Sequence[Gpu]] = list_gpus, meter: Meter = NO_METER
    ) -> None:
        self._pool = GpuPool(gpus, look, meter)
        self._needs = MemoryNeeds()
        self._slots = slots
        self._gpus = len(gpus)

    def wake(self) -> None:
        """Whoever waits for a GPU checks whether there still is something to wait for."""
        self._pool.wake()

    def run(self, name: str, kind: Hashable, estimate: float, run: Run, check: Callable[[], None]) -> Result:
        """Runs a training where there is room for it; once more, alone on a GPU, where beside others there was not.

        estimate: of its memory in bytes; kind: trainings that are wrong in it by a like factor. check: raises where
        the training is not wanted any more. Errors: what `run` and `check` raise.
        """
        shared = partial(self._run, name, kind, estimate, run, check)
        try:
            return shared(alone=False)
        except _Crowded:
            log.warning("%s: beside others there was too little memory, alone it may be enough", name)
            return shared(alone=True)

    def _run(
        self, name: str, kind: Hashable, estimate: float, run: Run, check: Callable[[], None], *, alone: bool
    ) -> Result:
        ask: Callable[[], Promise] = (lambda: None) if alone else partial(self._needs.ask, kind, estimate)
        log.info("%s: asks for %s", name, _in_words(ask()))
        with self._pool.place(ask, check) as place:
            is_guess = not self._needs.knows(kind)
            log.info("%s: on GPU %s, promised %s", name, place.gpu.index, _in_words(place.promise))

            def learn(peak: PeakMemory) -> None:
                self._needs.learn(kind, estimate, peak)
                # What others of the kind needed in the end, this one may need later (quantization-aware epochs).
                if not alone and (is_guess or place.promise is None or peak.needed > place.promise):
                    self._pool.promise(place, peak.needed)

            try:
                return run(self._parameters(place), learn)
            except OutOfMemory as error:
                if alone or place.was_alone:
                    raise
                raise _Crowded from error

    def _parameters(self, place: Place) -> dict[str, Any]:
        share = even_share(place.gpu, slots=self._slots, gpus=self._gpus)
        return {"device": "cuda", "gpu": place.gpu.uuid or None, "memory_share": share}


class _Crowded(Exception):
    """Out of memory with other trainings on the same GPU."""


def _in_words(promise: Promise) -> str:
    return "all memory of a GPU" if promise is None else f"{promise / 2**30:.1f} GiB"
