"""The agent as a Celery app: its phone's queues, one task at a time, behind the gate of its phone."""

from celery import Celery
from celery.exceptions import Reject

from db.session import Database
from db.work import Work, perform
from device_agents.gate import Gate
from paretofarm.lifecycle import ON_DEVICE
from paretofarm.messaging import celery_settings
from paretofarm.meter import NO_METER, Meter


def agent_app(
    broker_url: str,
    *,
    database: Database,
    gate: Gate,
    work: Work,
    owner: str,
    lease_s: float,
    meter: Meter = NO_METER,
) -> Celery:
    """A Celery app with a task for each stage that needs a phone; `work` tells them apart by the claim's step."""
    app = Celery("paretofarm-agent", set_as_current=False)
    app.conf.update(celery_settings(broker_url))
    app.steps["consumer"].add(gate.step())

    def use_phone(evaluation_id: int, attempt: int) -> None:
        # A phone that has become unfit since the message was taken: somebody else should have it.
        if not gate.check():
            raise Reject("the phone is not fit", requeue=True)
        perform(database, evaluation_id, attempt, owner=owner, lease_s=lease_s, work=work, meter=meter)

    for stage in ON_DEVICE:
        app.task(use_phone, name=stage.value, ignore_result=True)
    return app
