"""A broker that is away is waited for; one that does not let us in ends the process."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from redis import Redis
from services import RunningBroker, wait_until

from cli import patience
from cli.broker_wait import ask_broker, refuse_wrong_password, wait_for_broker
from paretofarm.errors import BrokerRefused, BrokerUnavailable


@pytest.fixture
def guarded(restartable_broker: RunningBroker) -> Iterator[str]:
    """Address, with a wrong password, of a broker that asks for one."""
    with Redis(unix_socket_path=str(restartable_broker.server.socket)) as client:
        client.config_set("requirepass", "right")
    yield restartable_broker.url().replace("redis+socket://", "redis+socket://:wr0ng@", 1)


def test_a_wrong_password_is_no_outage(guarded: str) -> None:
    for ask in (ask_broker, wait_for_broker, refuse_wrong_password):
        with pytest.raises(BrokerRefused, match="does not let us in") as caught:
            ask(guarded)
        assert "wr0ng" not in str(caught.value)
    ask_broker(guarded.replace("wr0ng", "right"))


def test_a_password_that_is_missing_is_no_outage(guarded: str) -> None:
    with pytest.raises(BrokerRefused, match="does not let us in"):
        ask_broker(guarded.replace(":wr0ng@", ""))


def test_a_worker_that_is_not_let_in_ends_with_one_line(guarded: str, database_url: str) -> None:
    environment = {**os.environ, "PARETOFARM_DATABASE_URL": database_url, "PARETOFARM_BROKER_URL": guarded}
    for process in ("worker", "scheduler"):
        argv = [sys.executable, "-P", "-m", "cli", process]
        result = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.startswith("paretofarm: the broker at ")
        assert result.stderr.count("\n") == 1


def test_a_broker_that_is_away_is_waited_for(
    restartable_broker: RunningBroker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(patience, "PAUSE_S", 0.05)
    url = restartable_broker.url()
    restartable_broker.kill()
    with pytest.raises(BrokerUnavailable, match="does not answer"):
        ask_broker(url)
    waiting = threading.Thread(target=wait_for_broker, args=[url])
    waiting.start()
    wait_until(lambda: "waiting: the broker at " in caplog.text, what="a line about the wait")
    restartable_broker.start()
    waiting.join(20)
    assert not waiting.is_alive()


def test_a_worker_says_when_it_is_up(broker_url: str, database_url: str) -> None:
    environment = {**os.environ, "PARETOFARM_DATABASE_URL": database_url, "PARETOFARM_BROKER_URL": broker_url}
    argv = [sys.executable, "-P", "-m", "cli", "worker", "--queues", "build", "--concurrency", "1"]
    with subprocess.Popen(argv, env=environment, stderr=subprocess.PIPE, text=True) as worker:
        assert worker.stderr is not None
        said = []
        for line in worker.stderr:
            said.append(line)
            if "worker is up" in line:
                break
        worker.terminate()
        said += worker.stderr
    up = [line for line in said if "worker is up: queues build; 1 at a time" in line]
    assert len(up) == 1
    assert not [line for line in said if "superuser" in line]
