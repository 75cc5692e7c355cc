"""A Celery worker with the prefork pool whose tasks count with our meter: `prefork_counting.py BROKER_URL`.

Where its metrics are is in its log.

For docs/metrics.md's claim about prefork: needs PROMETHEUS_MULTIPROC_DIR.
"""

import os
import sys

from celery import Celery, signals

from cli.logs import log_to_stderr
from cli.metrics.address import MetricsAddress
from cli.metrics.serving import serve_metrics
from paretofarm import instruments
from paretofarm.instrument import Process
from paretofarm.messaging import celery_settings


def main(broker_url: str) -> None:
    log_to_stderr()
    app = Celery("prefork", set_as_current=False)
    app.conf.update(celery_settings(broker_url))
    with serve_metrics(MetricsAddress("127.0.0.1", 0), Process.WORKER) as meter:

        def count(number: int) -> None:
            meter.add(instruments.TRAINED_IMAGES, number)
            meter.observe(instruments.EPOCH_SECONDS, 0.5)
            meter.add(instruments.PERFORMED, stage=f"child-{os.getpid()}", outcome="done")

        app.task(count, name="count")
        signals.setup_logging.connect(lambda **_: None, weak=False)
        app.Worker(
            pool_cls="prefork", concurrency=2, queues=["count"], without_gossip=True, without_mingle=True
        ).start()


if __name__ == "__main__":
    main(sys.argv[1])
