"""An agent's Celery worker: one task at a time, from the queues of a gate."""

import hashlib
from collections.abc import Callable

from celery import Celery, signals

from device_agents.gate import Gate


def consume(app: Celery, gate: Gate, *, name: str, stop: Callable[[], None]) -> None:
    """Consumes until the process is told to end, or the gate ends it. stop: gives up what is being done, at once."""
    signals.setup_logging.connect(_leave_logging_alone, weak=False)
    worker = app.Worker(
        hostname=f"agent-{hashlib.sha256(name.encode()).hexdigest()[:8]}@%h",
        pool_cls="solo",
        concurrency=1,
        queues=gate.queues,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        loglevel="WARNING",
        quiet=True,
    )

    def drain(**_: object) -> None:
        stop()

    signals.worker_shutting_down.connect(drain, weak=False)
    try:
        worker.start()
    finally:
        signals.worker_shutting_down.disconnect(drain)


def _leave_logging_alone(**_: object) -> None:
    """Celery would set the level of all loggers to that of its own."""
