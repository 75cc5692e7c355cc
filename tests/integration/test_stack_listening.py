"""Servers that other machines may reach: only when asked for, and only with the password."""

import os
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg2
import pytest
from factories import claim_first, store_candidates, store_experiment
from redis import AuthenticationError, Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from services import migrate, quick_stack, wait_until
from sqlalchemy import select

from cli.local_farm import embedded_farm
from cli.local_stack import LocalStack
from cli.stack.remote import Address, Remote
from cli.stack_processes import Crew
from db import experiments
from db.session import Database
from db.tables import EvaluationRow
from paretofarm.errors import DatabaseRefused, StackError

LOOPBACK = "127.0.0.1"


@pytest.fixture
def address() -> Address:
    """Two ports in a row that are free now."""
    while True:
        with socket.create_server((LOOPBACK, 0)) as first:
            port = int(first.getsockname()[1])
            try:
                with socket.create_server((LOOPBACK, port + 1)):
                    return Address(LOOPBACK, port)
            except OSError:
                continue


@pytest.fixture
def stack(stack_folder: Path, address: Address) -> Iterator[LocalStack]:
    with quick_stack(stack_folder, prepare=lambda urls: migrate(urls.database), listen=address) as running:
        yield running


@pytest.fixture
def remote(stack: LocalStack) -> Remote:
    found = stack.remote()
    assert found is not None
    return found


def family(stack: LocalStack) -> list[psutil.Process]:
    mine = [psutil.Process(status.pid) for status in stack.services() if status.pid]
    return mine + [child for process in list(mine) for child in process.children(recursive=True)]


def listening(stack: LocalStack) -> set[tuple[str, int]]:
    found = set()
    for process in family(stack):
        with suppress(psutil.NoSuchProcess):  # Postgres' connections come and go
            ports = [each for each in process.net_connections(kind="inet") if each.status == psutil.CONN_LISTEN]
            found.update((each.laddr.ip, each.laddr.port) for each in ports)
    return found


def visible(process: psutil.Process) -> str:
    """Arguments and environment; nothing where it has just ended, as Postgres' connections do."""
    try:
        return " ".join([*process.cmdline(), *process.environ().values()])
    except psutil.NoSuchProcess:
        return ""


def log_in(remote: Remote, user: str, password: str | None, database: str = "paretofarm") -> str:
    """Who one is then."""
    host, port = remote.address.host, remote.address.port
    connection = psycopg2.connect(host=host, port=port, user=user, password=password, dbname=database)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            return str(cursor.fetchone()[0])
    finally:
        connection.close()


def broker(remote: Remote, password: str | None) -> Redis:
    host, port = remote.address.host, remote.address.broker_port
    return Redis(host=host, port=port, password=password, protocol=2, retry=Retry(NoBackoff(), 0))


def sent(database: Database) -> int:
    """How many evaluations a scheduler has handed to the broker."""
    with database.transaction() as session:
        return len(session.scalars(select(EvaluationRow.id).where(EvaluationRow.dispatched_at.is_not(None))).all())


def test_no_port_is_open_by_default(stack_folder: Path) -> None:
    with quick_stack(stack_folder) as stack:
        assert listening(stack) == set()
        assert stack.remote() is None
        assert not stack.folder.password.exists()


def test_only_the_named_address_is_open(stack: LocalStack, address: Address) -> None:
    assert listening(stack) == {(LOOPBACK, address.port), (LOOPBACK, address.broker_port)}


def test_postgres_lets_the_remote_user_in_by_password_and_nobody_else(stack: LocalStack, remote: Remote) -> None:
    assert log_in(remote, "paretofarm_remote", remote.password) == "paretofarm_remote"
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        log_in(remote, "paretofarm_remote", "wrong")
    with pytest.raises(psycopg2.OperationalError, match="no password supplied"):
        log_in(remote, "paretofarm_remote", None)
    for owner_password in (None, remote.password):
        with pytest.raises(psycopg2.OperationalError, match="rejects connection"):
            log_in(remote, "paretofarm", owner_password)


def test_the_broker_lets_in_by_password_alone(remote: Remote) -> None:
    assert broker(remote, remote.password).ping() is True
    with pytest.raises(AuthenticationError, match="invalid username-password"):
        broker(remote, "wrong").ping()
    with pytest.raises(AuthenticationError, match="Authentication required"):
        broker(remote, None).ping()


def test_servers_that_were_killed_listen_again(stack: LocalStack, remote: Remote) -> None:
    for status in stack.services():
        assert status.pid is not None
        os.kill(status.pid, signal.SIGKILL)
    wait_until(lambda: all(status.restarts and status.ready for status in stack.services()), 30, "the servers")
    assert log_in(remote, "paretofarm_remote", remote.password) == "paretofarm_remote"
    assert broker(remote, remote.password).ping() is True


def test_who_works_elsewhere_works_but_does_not_plan(stack: LocalStack, remote: Remote) -> None:
    here, there = Database(stack.state.database_url), Database(remote.database_url)
    with here.transaction() as session:
        search = store_experiment(session)
        store_candidates(session, search.id, 1)
    with there.transaction() as session:
        evaluation = session.scalars(select(EvaluationRow.id)).one()
        assert claim_first(session, evaluation).evaluation_id == evaluation
    with pytest.raises(DatabaseRefused, match="permission denied"), there.transaction() as session:
        experiments.stop(session, search.id)
    here.dispose()
    there.dispose()


def test_the_whole_farm_keeps_the_password_to_files_of_its_owner(tmp_path: Path, address: Address) -> None:
    environment = {**os.environ, "PARETOFARM_DATA": str(tmp_path / "data")}
    with embedded_farm(environment, Crew(workers=0, phones=0), listen=address) as farm:
        assert isinstance(farm.stack, LocalStack)
        remote, folder = farm.stack.remote(), farm.stack.folder
        assert remote is not None
        database = Database(farm.settings.database_url)
        with database.transaction() as session:
            store_experiment(session)
        wait_until(lambda: sent(database) > 0, 30, "the scheduler to find database and broker")
        database.dispose()
        for process in family(farm.stack):
            assert remote.password not in visible(process)
        assert all(remote.password not in log.read_text() for log in folder.logs.iterdir())
        lines = folder.remote.read_text().splitlines()
        assert f"PARETOFARM_DATABASE_URL={remote.database_url}" in lines
        assert f"PARETOFARM_BROKER_URL={remote.broker_url}" in lines
        for file in (folder.remote, folder.password, folder.state):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_taken_port_is_named(stack_folder: Path, address: Address) -> None:
    taken = f"{LOOPBACK}:{address.broker_port}"
    with (
        socket.create_server((LOOPBACK, address.broker_port)),
        pytest.raises(StackError, match=rf"^cannot listen on {taken}: Address already in use"),
    ):
        quick_stack(stack_folder, listen=address).start()
