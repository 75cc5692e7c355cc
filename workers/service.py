"""The worker as a process."""

import logging
import os
import warnings
from collections.abc import Sequence

from celery import signals
from celery.exceptions import SecurityWarning

from db.presence import Presence, facts_of_this_process
from paretofarm import instruments
from paretofarm.lifecycle import Stage
from paretofarm.messaging import WORKER_STAGES
from paretofarm.meter import NO_METER, Meter
from paretofarm.settings import Settings
from workers.app import worker_app
from workers.bench import Bench
from workers.gpu import training_gpus
from workers.placement import default_slots

log = logging.getLogger(__name__)

ALL_QUEUES = tuple(stage.value for stage in WORKER_STAGES)


def run(
    settings: Settings,
    *,
    concurrency: int | None = None,
    queues: Sequence[str] = ALL_QUEUES,
    name: str = "worker",
    meter: Meter = NO_METER,
) -> None:
    """Builds, compiles and trains until SIGTERM or SIGINT; then jobs are stopped and their evaluations handed back.

    concurrency: jobs at a time, one process and, on a CPU, one core each; None: what this host is good for. Must be
    called in the main thread.
    """
    gpus = training_gpus() if Stage.TRAIN in queues else []
    slots = concurrency or default_slots(gpus, os.cpu_count() or 1)
    bench = Bench(settings, name=name, meter=meter, slots=slots, gpus=gpus)
    bench.start()
    meter.set(instruments.SLOTS, slots)

    def drain(**_: object) -> None:
        log.info("shutting down: handing back what is not finished")
        bench.stop()

    signals.worker_shutting_down.connect(drain, weak=False)
    signals.setup_logging.connect(_leave_logging_alone, weak=False)
    app = worker_app(settings.broker_url, bench)
    with warnings.catch_warnings():
        # What it says about root is meant for workers that unpickle: ours read JSON only.
        warnings.simplefilter("ignore", SecurityWarning)
        worker = app.Worker(
            hostname=f"{name}@%h",
            pool_cls="threads",
            concurrency=slots,
            queues=list(queues),
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            loglevel="WARNING",
            quiet=True,
        )

    def say_up(**_: object) -> None:
        log.info("worker is up: queues %s; %s at a time; GPUs: %s", ", ".join(queues), slots, len(gpus))

    signals.worker_ready.connect(say_up, weak=False)
    try:
        facts = facts_of_this_process(bench.owner, "worker", queues, {"slots": slots})
        with Presence(bench.database, facts):
            worker.start()
    finally:
        signals.worker_shutting_down.disconnect(drain)
        signals.worker_ready.disconnect(say_up)
        bench.close()


def _leave_logging_alone(**_: object) -> None:
    """Celery would set the level of all loggers to that of its own."""
