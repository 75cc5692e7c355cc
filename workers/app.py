"""The worker as a Celery app: one task per stage; each only claims and settles, the work is done at the bench."""

from celery import Celery

from db.work import perform
from paretofarm.messaging import WORKER_STAGES, celery_settings
from workers.bench import Bench


def worker_app(broker_url: str, bench: Bench) -> Celery:
    """A Celery app whose tasks are the stages that workers do, all at one bench."""
    app = Celery("paretofarm-worker", set_as_current=False)
    app.conf.update(celery_settings(broker_url))

    def work(evaluation_id: int, attempt: int) -> None:
        perform(
            bench.database,
            evaluation_id,
            attempt,
            owner=bench.owner,
            lease_s=bench.settings.lease_s,
            work=bench.work,
            meter=bench.meter,
        )

    for stage in WORKER_STAGES:
        app.task(work, name=stage.value, ignore_result=True)
    return app
