"""Fixtures for everybody: a migrated database and an empty broker per test, on servers that the session starts once."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from redis import Redis
from services import RunningBroker, RunningPostgres, make_stack, migrate, running_broker, running_postgres

from cli.stack.broker import DATABASES

TEMPLATE = "migrated"


@pytest.fixture(scope="session")
def postgres() -> Iterator[RunningPostgres]:
    """The session's server: never kill it, take `restartable_postgres` for that."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def template_database(postgres: RunningPostgres) -> str:
    """Name of a migrated database that nobody is connected to, to be copied."""
    migrate(postgres.create_database(TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
def database_numbers() -> Iterator[int]:
    return count(1)


@pytest.fixture
def database_url(postgres: RunningPostgres, template_database: str, database_numbers: Iterator[int]) -> str:
    """SQLAlchemy's address of a migrated database that the test has for itself."""
    return postgres.create_database(f"test_{next(database_numbers)}", template_database)


@pytest.fixture
def empty_database_url(postgres: RunningPostgres, database_numbers: Iterator[int]) -> str:
    """SQLAlchemy's address of a database without any tables."""
    return postgres.create_database(f"test_{next(database_numbers)}")


@pytest.fixture(scope="session")
def broker() -> Iterator[RunningBroker]:
    """The session's server: never kill or flush it, take `restartable_broker` for that."""
    with running_broker() as server:
        yield server


@pytest.fixture
def broker_url(broker: RunningBroker, database_numbers: Iterator[int]) -> str:
    """Celery's address of an empty numbered database that the test has for itself."""
    number = next(database_numbers) % DATABASES
    with Redis(unix_socket_path=str(broker.server.socket), db=number) as client:
        client.flushdb()
    return broker.url(number)


@pytest.fixture(scope="session")
def stack_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local stack's data folder with a row in it, for one test after the other: none may spoil it for the next."""
    return make_stack(tmp_path_factory.mktemp("stack") / "made")


@pytest.fixture
def copied_stack_folder(stack_folder: Path, tmp_path: Path) -> Path:
    """The same for one test alone. 1 s, most of it for 40 MB."""
    ignore = shutil.ignore_patterns("run")  # a killed stack's sockets cannot be copied
    return Path(shutil.copytree(stack_folder, tmp_path / "data", ignore=ignore))


@pytest.fixture
def restartable_postgres() -> Iterator[RunningPostgres]:
    """A server for one test, to be killed (`kill`), started again (`start`) or wiped (`wipe`). 0.6 s."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def restartable_broker() -> Iterator[RunningBroker]:
    """A broker for one test, to be killed (`kill`), started again (`start`) or emptied (`wipe`). 0.05 s."""
    with running_broker() as server:
        yield server
