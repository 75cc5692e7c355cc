"""Trainings that share GPUs which are not there: who waits for whom, and what is learnt meanwhile."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from paretofarm.errors import LeaseLost, OutOfMemory, WorkerCrashed
from paretofarm.instrument import Instrument
from paretofarm.instruments import GPU_WAITING
from paretofarm.meter import NoMeter
from workers import gpu_pool
from workers.gpu import Gpu
from workers.gpu_trainings import GpuTrainings
from workers.memory_needs import PeakMemory

GIB = 2**30
WAIT_S = 20.0
"""For a thread that ought to go on."""


def gpu(index: int = 0, *, used: float = 0.0) -> Gpu:
    return Gpu(str(index), f"GPU-{index}", used, 80.0 * GIB, None, None)


class Training:
    """One in a thread, which goes on when it is told to.

    fails_beside: runs out of memory where others are on its GPU, or in any case where it is "always".
    """

    def __init__(self, trainings: GpuTrainings, *, kind: str = "search", estimate: float = 4.0 * GIB) -> None:
        self.began, self.ended, self.go_on = threading.Event(), threading.Event(), threading.Event()
        self.parameters: list[dict[str, Any]] = []
        self.learn: Callable[[PeakMemory], None] = lambda peak: None
        self.failures: list[Exception] = []
        self.error: Exception | None = None
        self.result: dict[str, Any] | None = None
        self.unwanted: Exception | None = None
        self._arguments = ("candidate", kind, estimate, self._run, self._check)
        self._trainings = trainings
        threading.Thread(target=self._main, daemon=True).start()

    def finish(self) -> None:
        self.go_on.set()
        assert self.ended.wait(WAIT_S)

    def fail(self, error: Exception) -> None:
        self.failures.append(error)
        self.began.clear()
        self.go_on.set()

    @property
    def gpu(self) -> str:
        assert self.began.wait(WAIT_S)
        return str(self.parameters[-1]["gpu"])

    def _main(self) -> None:
        try:
            self.result = self._trainings.run(*self._arguments)
        except Exception as error:
            self.error = error
        self.ended.set()

    def _run(self, parameters: dict[str, Any], learn: Callable[[PeakMemory], None]) -> dict[str, Any]:
        self.parameters.append(parameters)
        self.learn = learn
        self.began.set()
        assert self.go_on.wait(WAIT_S)
        self.go_on.clear()
        if self.failures:
            raise self.failures.pop()
        return {"trained": True}

    def _check(self) -> None:
        if self.unwanted is not None:
            raise self.unwanted


@pytest.fixture
def waits_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_pool, "LOOK_AGAIN_S", 0.02)


def trainings(*gpus: Gpu, slots: int = 8, look: Callable[[], Sequence[Gpu]] | None = None) -> GpuTrainings:
    return GpuTrainings(gpus, slots=slots, look=look or (lambda: gpus))


def waits(training: Training) -> bool:
    return not training.began.wait(0.2)


def test_the_first_has_a_gpu_to_itself_until_its_first_epoch_was_measured() -> None:
    farm = trainings(gpu())
    first = Training(farm)
    assert first.gpu == "GPU-0"
    second = Training(farm)
    assert waits(second)
    first.learn(PeakMemory(8 * GIB))
    assert second.gpu == "GPU-0"
    for each in (first, second):
        each.finish()
        assert each.result == {"trained": True}


def test_every_gpu_gets_one_before_any_gets_two() -> None:
    farm = trainings(gpu(0), gpu(1))
    first, second = Training(farm), Training(farm)
    assert {first.gpu, second.gpu} == {"GPU-0", "GPU-1"}
    first.learn(PeakMemory(8 * GIB))
    third = Training(farm)
    assert third.gpu == first.gpu, "of the other nobody knows yet what it needs"
    second.learn(PeakMemory(20 * GIB))
    for each in (first, second, third):
        each.finish()


def test_as_many_share_a_gpu_as_fit() -> None:
    """Each was seen to need 20 GiB; with what a process takes and a margin three fit into 80."""
    farm = trainings(gpu())
    running = [Training(farm)]
    assert running[0].gpu
    running[0].learn(PeakMemory(20 * GIB))
    for _ in range(2):
        running.append(Training(farm))
        assert running[-1].gpu
    fourth = Training(farm)
    assert waits(fourth)
    running.pop().finish()
    assert fourth.gpu == "GPU-0"
    for each in (*running, fourth):
        each.finish()


def test_who_came_first_is_not_passed_by_smaller_ones() -> None:
    farm = trainings(gpu())
    first = Training(farm)
    assert first.gpu
    first.learn(PeakMemory(4 * GIB))
    large = Training(farm, estimate=70.0 * GIB)
    assert waits(large)
    small = Training(farm, estimate=1.0 * GIB)
    assert waits(small)
    first.finish()
    assert large.gpu
    for each in (large, small):
        each.finish()


@pytest.mark.usefixtures("waits_are_short")
def test_what_others_hold_is_looked_at_again() -> None:
    held = [70.0]
    farm = trainings(gpu(used=70.0 * GIB), look=lambda: [gpu(used=held[0] * GIB)])
    first = Training(farm)
    assert first.gpu, "alone it may begin whatever others hold"
    first.learn(PeakMemory(4 * GIB))
    second = Training(farm)
    assert waits(second)
    first.finish()
    assert second.gpu
    held[0] = 0.0
    third = Training(farm)
    assert waits(third), "what others held is known from when none of ours was there"
    second.finish()
    assert third.gpu
    fourth = Training(farm)
    assert fourth.gpu
    for each in (third, fourth):
        each.finish()


def test_who_runs_out_of_memory_beside_others_is_tried_again_alone() -> None:
    farm = trainings(gpu())
    first = Training(farm)
    assert first.gpu
    first.learn(PeakMemory(8 * GIB))
    second = Training(farm)
    assert second.gpu
    second.fail(OutOfMemory("CUDA"))
    assert waits(second), "until nobody else is there"
    first.finish()
    assert second.gpu
    second.learn(PeakMemory(8 * GIB))
    third = Training(farm)
    assert waits(third), "alone means to the end"
    second.finish()
    assert (second.result, len(second.parameters)) == ({"trained": True}, 2)
    third.finish()


def test_who_runs_out_of_memory_alone_does_not_fit() -> None:
    training = Training(trainings(gpu()))
    assert training.gpu
    training.fail(OutOfMemory("CUDA"))
    assert training.ended.wait(WAIT_S)
    assert isinstance(training.error, OutOfMemory) and len(training.parameters) == 1


def test_any_other_failure_gives_the_place_back() -> None:
    farm = trainings(gpu())
    first, second = Training(farm), None
    assert first.gpu
    second = Training(farm)
    first.fail(WorkerCrashed("killed"))
    assert second.gpu
    assert isinstance(first.error, WorkerCrashed)
    second.finish()


def test_who_is_not_wanted_any_more_does_not_wait_on() -> None:
    farm = trainings(gpu())
    first, second = Training(farm), Training(farm)
    running, waiting = (first, second) if first.began.wait(0.2) else (second, first)
    assert waits(waiting)
    waiting.unwanted = LeaseLost()
    farm.wake()
    assert waiting.ended.wait(WAIT_S)
    assert isinstance(waiting.error, LeaseLost) and not waiting.parameters
    running.finish()


def test_how_many_wait_is_told() -> None:
    meter = Counting()
    farm = GpuTrainings([gpu()], slots=8, look=lambda: [gpu()], meter=meter)
    first = Training(farm)
    assert first.gpu
    second = Training(farm)
    assert waits(second)
    assert meter.waiting == 1
    first.finish()
    assert second.gpu
    assert meter.waiting == 0
    second.finish()


class Counting(NoMeter):
    waiting = 0.0

    def add(self, instrument: Instrument, amount: float = 1.0, **labels: str) -> None:
        assert instrument is GPU_WAITING
        self.waiting += amount


def test_a_job_is_told_its_gpu_and_its_share_of_it() -> None:
    training = Training(trainings(gpu(0), gpu(1), slots=4))
    assert training.gpu in ("GPU-0", "GPU-1")
    assert training.parameters == [{"device": "cuda", "gpu": training.gpu, "memory_share": 40 * GIB}]
    training.finish()
