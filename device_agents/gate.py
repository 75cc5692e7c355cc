"""Stops an agent's consumption while its phone cannot be measured, so that no work waits behind a dead phone."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from celery import bootsteps
from celery.platforms import EX_OK
from celery.worker import state as worker_state

from paretofarm.errors import Unavailable

log = logging.getLogger(__name__)

CHECK_S = 2.0


class Gate:
    """Opens and closes the queues of a Celery consumer by what `obstacle` says of the phone.

    must_end: asked after each look; True ends the worker.
    """

    def __init__(
        self,
        queues: Sequence[str],
        *,
        obstacle: Callable[[], Unavailable | None],
        must_end: Callable[[], bool] = lambda: False,
    ) -> None:
        self.queues = tuple(queues)
        self._obstacle = obstacle
        self._must_end = must_end
        self._consumer: Any = None
        self._reason: str | None = None

    def check(self) -> bool:
        """Looks at the phone and opens or closes its queues; True while open. Runs in the consumer's thread."""
        problem = self._obstacle()
        reason = None if problem is None else f"{problem.code}: {problem}"
        if self._consumer is not None:
            self._set(is_open=reason is None)
        if reason != self._reason:
            log.warning("%s: %s", " and ".join(self.queues), reason or "the phone is fit again")
        self._reason = reason
        if self._must_end():
            worker_state.should_stop = EX_OK
        return reason is None

    def _set(self, *, is_open: bool) -> None:
        consumer = self._consumer
        change = consumer.add_task_queue if is_open else consumer.cancel_task_queue
        for queue in self.queues:
            if bool(consumer.task_consumer.consuming_from(queue)) != is_open:
                change(queue)

    def step(self) -> type[bootsteps.StartStopStep]:
        """The bootstep that makes a Celery consumer obey this gate, from its (re)connection on."""
        gate = self

        class GateStep(bootsteps.StartStopStep):
            requires = ("celery.worker.consumer.tasks:Tasks",)

            def __init__(self, parent: Any, **options: Any) -> None:
                self._timer: Any = None
                super().__init__(parent, **options)

            def start(self, parent: Any) -> None:
                gate._consumer = parent
                gate.check()
                self._timer = parent.timer.call_repeatedly(CHECK_S, gate.check)

            def stop(self, parent: Any) -> None:
                gate._consumer = None
                if self._timer is not None:
                    self._timer.cancel()
                    self._timer = None

            shutdown = stop

        return GateStep
