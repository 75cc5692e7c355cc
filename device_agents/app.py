"""The agent as a Celery app: one queue, one task at a time, behind the gate of its phone."""

from celery import Celery
from celery.exceptions import Reject

from db.session import Database
from db.work import Work, perform
from device_agents.gate import Gate
from paretofarm.lifecycle import Stage
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
    """A Celery app with the one task `measure`."""
    app = Celery("paretofarm-agent", set_as_current=False)
    app.conf.update(celery_settings(broker_url))
    app.steps["consumer"].add(gate.step())

    def measure(evaluation_id: int, attempt: int) -> None:
        # A phone that has become unfit since the message was taken: somebody else should have it.
        if not gate.check():
            raise Reject("the phone is not fit", requeue=True)
        perform(database, evaluation_id, attempt, owner=owner, lease_s=lease_s, work=work, meter=meter)

    app.task(measure, name=Stage.MEASURE.value, ignore_result=True)
    return app
