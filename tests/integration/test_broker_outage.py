"""A consumer whose broker dies and returns while it works must take the next message.

Its acknowledgement of the first is lost with the connection; kombu would count that message as in progress for ever.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from celery import Celery
from redis import Redis
from services import RunningBroker, wait_until

from paretofarm.messaging import celery_settings

WORKER = Path(__file__).parents[1] / "tools/outage_worker.py"


@pytest.fixture(params=["solo", "threads"])
def consumer(request: pytest.FixtureRequest, restartable_broker: RunningBroker, tmp_path: Path) -> Iterator[Path]:
    """Agents work in the consumer's own thread, workers in others. Its folder."""
    log = tmp_path / "log"
    with log.open("wb") as output:
        argv = [sys.executable, str(WORKER), restartable_broker.url(), str(tmp_path), request.param]
        process = subprocess.Popen(argv, stdout=output, stderr=output)
    yield tmp_path
    process.kill()
    process.wait()


def send(url: str, name: str) -> None:
    with closing(Celery("outage-sender", set_as_current=False)) as app:
        app.conf.update(celery_settings(url))
        app.send_task("work", args=[name], queue="outage")


def test_the_next_message_is_taken_after_an_outage(restartable_broker: RunningBroker, consumer: Path) -> None:
    send(restartable_broker.url(), "first")
    wait_until((consumer / "first.begun").exists, what="the first task")
    restartable_broker.kill()
    (consumer / "first.go").touch()
    wait_until(lambda: "ConnectionError" in (consumer / "log").read_text(), what="the outage to be noticed")
    restartable_broker.start()
    send(restartable_broker.url(), "second")
    (consumer / "second.go").touch()
    wait_until((consumer / "second.begun").exists, what="the second task")


def test_a_message_waits_in_the_broker_while_all_slots_are_taken(
    restartable_broker: RunningBroker, consumer: Path
) -> None:
    """Somebody else may have a slot free."""
    send(restartable_broker.url(), "first")
    wait_until((consumer / "first.begun").exists, what="the first task")
    send(restartable_broker.url(), "second")
    time.sleep(0.3)  # in which a consumer that prefetches would have taken it
    with Redis(unix_socket_path=str(restartable_broker.server.socket)) as client:
        assert client.llen("outage") == 1
    (consumer / "first.go").touch()
    wait_until((consumer / "second.begun").exists, what="the second task")
