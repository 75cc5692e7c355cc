"""Throw-away servers for tests, made of the embedded stack's own parts; gone with pytest, even when it is killed."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from os import environ
from pathlib import Path
from typing import TypeVar

import psutil
from sqlalchemy import NullPool, create_engine, text

from cli.local_stack import LocalStack
from cli.stack.binaries import broker_program, postgres_folder
from cli.stack.broker import BrokerServer
from cli.stack.child import Child
from cli.stack.identity import Identity, choose_identity
from cli.stack.postgres import THROWAWAY, PostgresServer
from cli.stack.service import Service

PAUSE_S = 0.01
Server = TypeVar("Server", bound="RunningServer")


def wait_until(condition: Callable[[], bool], timeout_s: float = 20.0, what: str = "the condition") -> None:
    """Returns as soon as the condition holds; fails the test when it does not within the limit."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s} s for {what}"
        time.sleep(PAUSE_S)


def is_alive(process: psutil.Process) -> bool:
    """False for a zombie too, which only waits for its parent's attention."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class RunningServer:
    """A server that a test may kill, start again on its data, or wipe. `service` says what it is."""

    def __init__(self, service: Service, data: Path) -> None:
        self.service = service
        self._data = data
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    def start(self) -> None:
        """Returns when it answers."""
        self._child = Child(self.service.prepare())
        wait_until(self._answers, self.service.start_timeout_s, f"{self.service.name} to answer")

    def kill(self) -> None:
        """`kill -9`; the data stays."""
        if self._child:
            self._child.kill()
            self._child = None

    def stop(self) -> None:
        """In order; the data stays."""
        if self._child:
            self._child.stop(self.service.stop_signals)
            self._child = None

    def wipe(self) -> None:
        """Deletes the data of a server that does not run."""
        assert self._child is None, "kill or stop it first"
        shutil.rmtree(self._data, ignore_errors=True)

    def _answers(self) -> bool:
        assert self._child is not None
        assert self._child.exit_code() is None, self._child.log_tail()
        return self.service.is_ready()


class RunningPostgres(RunningServer):
    """Postgres without fsync. After `wipe` it starts without databases: make them with `create_database`."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        data = folder / "postgres"
        self.server = PostgresServer(
            postgres_folder(environ), data, folder / "run", folder / "postgres.log", identity, settings=THROWAWAY
        )
        super().__init__(self.server, data)

    def create_database(self, name: str, template: str = "template1") -> str:
        """Its address; 35 ms."""
        return self.server.create_database(name, template=template)


class RunningBroker(RunningServer):
    """Valkey without fsync."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        data = folder / "broker"
        self.server = BrokerServer(
            broker_program(environ), data, folder / "run", folder / "broker.log", identity, fsync="no"
        )
        super().__init__(self.server, data)

    def url(self, database: int = 0) -> str:
        return self.server.url(database)


@contextmanager
def running_postgres() -> Iterator[RunningPostgres]:
    """A server in a folder of its own, migrated to nothing yet."""
    with _short_folder() as folder:
        server = RunningPostgres(folder, choose_identity())
        yield from _run(server)


@contextmanager
def running_broker() -> Iterator[RunningBroker]:
    """A server in a folder of its own, empty."""
    with _short_folder() as folder:
        server = RunningBroker(folder, choose_identity())
        yield from _run(server)


def migrate(url: str) -> None:
    """Brings an empty database to the product's schema."""
    if find_spec("db.migrate"):
        import_module("db.migrate").upgrade(url)


quick_stack = partial(LocalStack, postgres_settings=THROWAWAY)
"""A local stack whose Postgres does not wait for the disk."""


def make_stack(folder: Path) -> Path:
    """A data folder in which a local stack has run once, with a row in it (table `kept`, x = 42)."""
    with quick_stack(folder) as stack:
        write_kept_row(stack.state.database_url)
    return folder


def write_kept_row(url: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text("CREATE TABLE kept AS SELECT 42 AS x"))


def _run(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextmanager
def _short_folder() -> Iterator[Path]:
    """Not below pytest's: a socket's path has room for 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="pf-test-"))
    try:
        (folder / "run").mkdir(mode=0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
