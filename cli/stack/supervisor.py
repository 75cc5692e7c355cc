"""Starts services, keeps them alive and stops them, from one thread of its own.

The thread matters: Linux ties a child's death signal to the thread that started it.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from cli.stack.child import Child, stop_together
from cli.stack.lifeline import Lifeline
from cli.stack.logfile import bound_log, complaint
from cli.stack.service import Service
from paretofarm.errors import StackError

logger = logging.getLogger(__name__)

TICK_S = 0.05
LOG_CHECK_S = 5.0
BACKOFF_S = (0.2, 1.0, 3.0, 10.0, 30.0)
SETTLED_S = 60.0
"""A process that has run so long starts again without delay when it dies."""


@dataclass(frozen=True)
class ServiceStatus:
    """A service as it is now. `pid` is None while it does not run, `exit_code` its last one.

    quick_endings: how often in a row it has ended soon after its start.
    """

    name: str
    pid: int | None
    ready: bool
    restarts: int
    exit_code: int | None
    quick_endings: int = 0


class Kept:
    """One service with its process and its history."""

    def __init__(self, service: Service, lifeline: Lifeline) -> None:
        self.service = service
        self.child: Child | None = None
        self.started = 0.0
        self.due: float | None = 0.0
        self.ready = False
        self.restarts = 0
        self.exit_code: int | None = None
        self.first_ready: Future[None] = Future()
        self._quick_deaths = 0
        self._repaired = False
        self._lifeline = lifeline

    def tick(self, now: float) -> None:
        """Looks after the process once. Never raises: what goes wrong before the first success fails `first_ready`."""
        try:
            if self.child is None:
                if self.due is not None and now >= self.due:
                    self._start(now)
            elif (code := self.child.exit_code()) is not None:
                self._bury(code, now)
            elif not self.ready:
                self._check_ready(self.child, now)
        except (StackError, OSError) as error:
            self._failed(f"{self.service.name}: {error}", now)

    def status(self) -> ServiceStatus:
        pid = self.child.pid if self.child else None
        return ServiceStatus(self.service.name, pid, self.ready, self.restarts, self.exit_code, self._quick_deaths)

    def forget(self) -> None:
        """The process has been stopped."""
        if self.child:
            self.exit_code = self.child.exit_code()
            self._lifeline.forget(self.child.pid)
            self.child = None
            self.ready = False

    def _start(self, now: float) -> None:
        launch = self.service.prepare()
        bound_log(launch.log)
        self.child = Child(launch)
        self._lifeline.watch(self.child.pid, launch.death_signal)
        self.started = now
        self._check_ready(self.child, now)

    def _check_ready(self, child: Child, now: float) -> None:
        if self.service.is_ready():
            self.ready = True
            logger.info("%s runs (process %d)", self.service.name, child.pid)
            if not self.first_ready.done():
                self.first_ready.set_result(None)
        elif now > self.started + self.service.start_timeout_s:
            child.stop(self.service.stop_signals)

    def _bury(self, code: int, now: float) -> None:
        child = self.child
        assert child is not None
        child.kill()  # what is left of its group
        was_ready = self.ready
        self.forget()
        self.exit_code = code
        log = child.log_tail()
        if not was_ready and not self._repaired and self.service.repair(log):
            self._repaired, self.due = True, now
        elif was_ready and not self.service.restart:
            self.due = None
            logger.info("%s has ended (%s)", self.service.name, code)
        else:
            self._failed(f"{self.service.name} has ended ({code}): {complaint(log)}", now)

    def _failed(self, reason: str, now: float) -> None:
        if not self.first_ready.done():
            self.due = None
            self.first_ready.set_exception(StackError(reason))
            return
        self._quick_deaths = 0 if now - self.started > SETTLED_S else self._quick_deaths + 1
        delay = BACKOFF_S[min(self._quick_deaths, len(BACKOFF_S)) - 1] if self._quick_deaths else 0.0
        self.due = now + delay
        self.restarts += 1
        self._repaired = False
        logger.warning("%s: restart %d in %.1f s", reason, self.restarts, delay)


class Supervisor:
    """Public methods may be called from any thread, and block until the supervisor's thread has done as asked."""

    def __init__(self, mark: str, log: Path) -> None:
        self._mark = mark
        self._log = log
        self._orders: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._kept: list[Kept] = []
        self._ended = threading.Event()
        self._stopping = False
        self._lifeline: Lifeline | None = None
        self._thread = threading.Thread(target=self._run, name="stack-supervisor", daemon=True)
        self._thread.start()

    def start(self, services: Sequence[Service]) -> None:
        """Starts services side by side; returns when all are ready. Errors: `StackError`, for the first that is not."""
        added: Future[list[Kept]] = Future()
        self._orders.put(lambda: added.set_result([self._add(service) for service in services]))
        for kept in added.result():
            kept.first_ready.result()

    def stop(self) -> None:
        """Stops everything, services of equal rank side by side, the highest rank first; then the thread ends."""
        self._orders.put(self._stop)
        self._ended.wait()

    @property
    def alive(self) -> bool:
        """Whether it still looks after its services: until `stop`, unless a defect of ours has ended it."""
        return not self._ended.is_set()

    def statuses(self) -> list[ServiceStatus]:
        """All services, in the order in which they were started."""
        return [kept.status() for kept in list(self._kept)]

    def _add(self, service: Service) -> Kept:
        assert self._lifeline is not None
        kept = Kept(service, self._lifeline)
        self._kept.append(kept)
        return kept

    def _run(self) -> None:
        try:
            self._lifeline = Lifeline(self._mark, self._log)
            self._supervise(self._lifeline)
            self._lifeline.close()
        finally:  # the thread's end is the children's too; nobody shall wait for it in vain
            self._ended.set()
            for kept in self._kept:
                if not kept.first_ready.done():
                    kept.first_ready.set_exception(StackError(f"{kept.service.name}: the supervisor has ended"))

    def _supervise(self, lifeline: Lifeline) -> None:
        next_log_check = 0.0
        while not self._stopping:
            now = time.monotonic()
            for kept in self._kept:
                kept.tick(now)
            lifeline.renew()
            if now >= next_log_check:
                self._bound_logs()
                next_log_check = now + LOG_CHECK_S
            self._obey()

    def _obey(self) -> None:
        try:
            order = self._orders.get(timeout=TICK_S)
        except queue.Empty:
            return
        order()

    def _stop(self) -> None:
        for rank in sorted({kept.service.rank for kept in self._kept}, reverse=True):
            peers = [kept for kept in self._kept if kept.service.rank == rank]
            stop_together([(kept.child, kept.service.stop_signals) for kept in peers if kept.child])
            for kept in peers:
                kept.forget()
        self._stopping = True

    def _bound_logs(self) -> None:
        for log in {kept.child.launch.log for kept in self._kept if kept.child}:
            bound_log(log)
