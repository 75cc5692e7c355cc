"""Stops an agent's consumption while its phone cannot be measured, so that no work waits behind a dead phone."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from celery import bootsteps

from paretofarm.errors import Unavailable

log = logging.getLogger(__name__)

CHECK_S = 2.0


class Gate:
    """Opens and closes the queues of a Celery consumer by what `obstacle` says of the phone.

    `on_look` is told each time what came of looking: the phone is fit (None) or unfit (the reason).
    """

    def __init__(
        self,
        queues: Sequence[str],
        *,
        obstacle: Callable[[], Unavailable | None],
        on_look: Callable[[Unavailable | None], None],
    ) -> None:
        self.queues = tuple(queues)
        self._obstacle = obstacle
        self._on_look = on_look
        self._consumer: Any = None
        self._reason: str | None = None

    def check(self) -> bool:
        """Looks at the phone and opens or closes its queues; True while open. Runs in the consumer's thread."""
        problem = self._obstacle()
        reason = None if problem is None else f"{problem.code}: {problem}"
        if self._consumer is not None and (reason is None) != self._is_open():
            change = self._consumer.add_task_queue if reason is None else self._consumer.cancel_task_queue
            for queue in self.queues:
                change(queue)
        if reason != self._reason:
            log.warning("%s: %s", " and ".join(self.queues), reason or "the phone is fit again")
        self._reason = reason
        self._on_look(problem)
        return reason is None

    def _is_open(self) -> bool:
        return all(self._consumer.task_consumer.consuming_from(queue) for queue in self.queues)

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
