"""A consumer with the service's Celery settings, for `test_broker_outage`: `outage_worker.py URL FOLDER POOL`.

A task named N makes FOLDER/N.begun, then waits for FOLDER/N.go.
"""

import sys
import time
from pathlib import Path

from celery import Celery

from paretofarm.messaging import celery_settings


def main(url: str, folder: Path, pool: str) -> None:
    app = Celery("outage", set_as_current=False)
    app.conf.update(celery_settings(url))

    @app.task(name="work", ignore_result=True)
    def work(name: str) -> None:
        (folder / f"{name}.begun").touch()
        while not (folder / f"{name}.go").exists():
            time.sleep(0.02)

    app.Worker(
        pool_cls=pool,
        concurrency=1,
        queues=["outage"],
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        loglevel="WARNING",
        quiet=True,
    ).start()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
