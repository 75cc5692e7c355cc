"""The GPUs of a worker's host, shared among its trainings."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from paretofarm import instruments
from paretofarm.meter import NO_METER, Meter
from workers.gpu import Gpu
from workers.placement import Load, Promise, place

LOOK_AGAIN_S = 5.0
"""While a training waits for room: others than ours may have given some back."""


class Place:
    """A training's on a GPU, from `GpuPool.place`. was_alone: nobody of ours was beside it at any time."""

    def __init__(self, gpu: Gpu, promise: Promise) -> None:
        self.gpu = gpu
        self.promise = promise
        self.was_alone = True


class GpuPool:
    """Whom which GPU's memory is promised to. Safe to use from many threads.

    look: reads the GPUs anew; what it no longer tells is taken as it was last.
    """

    def __init__(self, gpus: Sequence[Gpu], look: Callable[[], Sequence[Gpu]], meter: Meter = NO_METER) -> None:
        self._look = look
        self._meter = meter
        self._gpus = {gpu.uuid: gpu for gpu in gpus}
        self._others = {gpu.uuid: gpu.memory_used or 0.0 for gpu in gpus}
        self._places: list[Place] = []
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()
        self._changes = 0

    @contextmanager
    def place(self, wanted: Callable[[], Promise], check: Callable[[], None]) -> Iterator[Place]:
        """Waits for room. Who came first is served first, so that a large training is not passed for ever.

        wanted: asked again whenever something has changed, for meanwhile more may be known. check: raises where there
        is nothing to wait for any more.
        """
        found = self._wait(wanted, check)
        try:
            yield found
        finally:
            with self._changed:
                self._places.remove(found)
                self._tell()

    def promise(self, place: Place, promise: Promise) -> None:
        """Changes what a training was promised, once it has shown what it needs."""
        with self._changed:
            place.promise = promise
            self._tell()

    def wake(self) -> None:
        """Whoever waits checks whether there still is something to wait for."""
        with self._changed:
            self._tell()

    def _wait(self, wanted: Callable[[], Promise], check: Callable[[], None]) -> Place:
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
        self._meter.add(instruments.GPU_WAITING)
        try:
            while True:
                check()
                with self._changed:
                    is_next, seen = self._queue[0] is ticket, self._changes
                # Outside the lock: a driver in trouble takes seconds to answer.
                told = self._look() if is_next else ()
                with self._changed:
                    if seen != self._changes:
                        # What was read may count somebody who is gone, or not count who has come.
                        continue
                    if is_next and (found := self._found(told, wanted())) is not None:
                        return found
                    self._changed.wait(LOOK_AGAIN_S)
        finally:
            self._meter.add(instruments.GPU_WAITING, -1)
            with self._changed:
                self._queue.remove(ticket)
                self._tell()

    def _tell(self) -> None:
        self._changes += 1
        self._changed.notify_all()

    def _found(self, told: Sequence[Gpu], wanted: Promise) -> Place | None:
        self._update(told)
        load = place(self._loads(), wanted)
        if load is None:
            return None
        found = Place(load.gpu, wanted)
        beside = self._on(load.gpu.uuid)
        for each in (*beside, found) if beside else ():
            each.was_alone = False
        self._places.append(found)
        self._tell()
        return found

    def _update(self, told: Sequence[Gpu]) -> None:
        for gpu in told:
            if gpu.uuid in self._gpus:
                self._gpus[gpu.uuid] = gpu
                if not self._on(gpu.uuid):
                    self._others[gpu.uuid] = gpu.memory_used or 0.0

    def _loads(self) -> list[Load]:
        return [
            Load(gpu, [each.promise for each in self._on(uuid)], self._others[uuid]) for uuid, gpu in self._gpus.items()
        ]

    def _on(self, uuid: str) -> list[Place]:
        return [each for each in self._places if each.gpu.uuid == uuid]
