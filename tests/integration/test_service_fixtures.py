"""The fixtures that all integration tests stand on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry
from services import RunningBroker, RunningPostgres, is_alive, wait_until
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

TESTS = Path(__file__).parents[1]


def scalar(url: str, statement: str) -> object:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        return connection.execute(text(statement)).scalar()


def execute(url: str, statement: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_database_of_its_own(database_url: str, turn: int) -> None:
    execute(database_url, "CREATE TABLE mine (x int)")
    assert scalar(database_url, "SELECT count(*) FROM mine") == 0


def test_an_empty_database_has_no_tables(empty_database_url: str) -> None:
    count = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
    assert scalar(empty_database_url, count) == 0


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_an_empty_broker(broker: RunningBroker, broker_url: str, turn: int) -> None:
    database = int(broker_url.rpartition("=")[2])
    with Redis(unix_socket_path=str(broker.server.socket), db=database) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


def test_a_killed_postgres_starts_again_with_its_rows(restartable_postgres: RunningPostgres) -> None:
    url = restartable_postgres.create_database("kept")
    execute(url, "CREATE TABLE t AS SELECT 1 AS x")
    restartable_postgres.kill()
    with pytest.raises(OperationalError):
        scalar(url, "SELECT x FROM t")
    restartable_postgres.start()
    assert scalar(url, "SELECT x FROM t") == 1


def test_a_killed_broker_starts_again_with_its_keys_or_wiped_without(restartable_broker: RunningBroker) -> None:
    with Redis(unix_socket_path=str(restartable_broker.server.socket), retry=Retry(NoBackoff(), 0)) as client:
        client.set("key", "value")
        restartable_broker.kill()
        with pytest.raises(RedisConnectionError):
            client.ping()
        restartable_broker.start()
        assert client.get("key") == b"value"
        restartable_broker.kill()
        restartable_broker.wipe()
        restartable_broker.start()
        assert client.get("key") is None


def test_servers_end_with_a_pytest_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import time; from services import running_broker, running_postgres\n"
        "with running_postgres() as p, running_broker() as b:\n"
        "    print(p.pid, b.pid, flush=True); time.sleep(600)"
    )
    search_path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    environment = {**os.environ, "PYTHONPATH": search_path, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as pytest_like:
        assert pytest_like.stdout is not None
        pids = [int(word) for word in pytest_like.stdout.readline().split()]
        family = [psutil.Process(pid) for pid in pids]
        family += [child for process in list(family) for child in process.children(recursive=True)]
        pytest_like.send_signal(signal.SIGKILL)
    assert len(family) > len(pids)
    wait_until(lambda: not any(map(is_alive, family)), 2, "the servers to end")
