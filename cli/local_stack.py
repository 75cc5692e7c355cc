"""The public face of the embedded stack: Postgres, broker and services of this machine, in one data folder.

`LocalStack` is what `paretofarm up` and `search start --wait` run; `embedded_database` is for commands that need the
database alone; `find_running_stack` is how other commands find either.
"""

import logging
import os
import shutil
import signal
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from cli.file_errors import readable_errors
from cli.stack.binaries import broker_program, postgres_folder
from cli.stack.broker import BrokerServer
from cli.stack.embedded import embedded_database
from cli.stack.folder import DataFolder, create_private
from cli.stack.guardian import kill_marked
from cli.stack.identity import Identity, choose_identity
from cli.stack.postgres import PostgresServer
from cli.stack.remote import DATABASE, Address, Remote, keep_password
from cli.stack.service import ProcessService, ProcessSpec, Service
from cli.stack.state import FileLock, StackInUse, StackMode, StackState, find_running_stack
from cli.stack.supervisor import ServiceStatus, Supervisor
from paretofarm.errors import StackError

__all__ = [
    "LocalStack",
    "ProcessSpec",
    "ServiceStatus",
    "StackMode",
    "StackState",
    "StackUrls",
    "embedded_database",
    "find_running_stack",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StackUrls:
    """Where the servers are, for SQLAlchemy and Celery."""

    database: str
    broker: str = field(repr=False)


def no_processes(urls: StackUrls) -> Sequence[ProcessSpec]:
    """The servers alone."""
    return ()


def nothing_more(urls: StackUrls) -> None:
    """What happens between servers and processes by default."""


class LocalStack:
    """Servers and processes of one data folder, supervised by this process and gone with it.

    `prepare` is called with the addresses once the servers answer (to migrate the database); then `processes` says
    what else to start. Any of them that dies is started again, the servers too. As a context manager it starts and
    stops. listen: where other machines may reach the servers too. Errors: `StackInUse` where another process has the
    folder, `StackError` where a server does not start.
    """

    def __init__(
        self,
        data_dir: Path,
        processes: Callable[[StackUrls], Sequence[ProcessSpec]] = no_processes,
        *,
        prepare: Callable[[StackUrls], None] = nothing_more,
        mode: StackMode = StackMode.FULL,
        identity: Identity | None = None,
        environment: Mapping[str, str] | None = None,
        postgres_settings: Mapping[str, str] | None = None,
        lock_wait_s: float = 5.0,
        listen: Address | None = None,
    ) -> None:
        self.folder = DataFolder.create(data_dir)
        self._processes = processes
        self._prepare = prepare
        self._mode = mode
        self._identity = identity
        self._environment = os.environ if environment is None else environment
        self._postgres_settings = postgres_settings or {}
        self._lock_wait_s = lock_wait_s
        self._listen = listen
        self._lock: FileLock | None = None
        self._supervisor: Supervisor | None = None
        self._state: StackState | None = None

    @property
    def state(self) -> StackState:
        """What other commands can read. Errors: `StackError` before the start."""
        if self._state is None:
            raise StackError("the local stack does not run")
        return self._state

    def start(self) -> StackUrls:
        """Starts servers, then processes; returns when all run. After an error nothing is left running."""
        self._lock = self._take_folder()
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> StackUrls:
        self._clear_leftovers()
        if self._listen:
            self._listen.check_free()
        stack_id = uuid.uuid4().hex
        identity = self._identity or choose_identity()
        postgres, broker = self._servers(identity)
        urls = StackUrls(postgres.url(), broker.url())
        self._supervisor = Supervisor(stack_id, self.folder.log("guardian"))
        full = self._mode is StackMode.FULL
        servers: list[Service] = [postgres, broker] if full else [postgres]
        self._supervisor.start(servers)
        postgres.create_database(DATABASE)
        self._prepare(urls)
        if postgres.remote:
            postgres.admit(postgres.remote)
        self._publish(
            StackState(
                stack_id=stack_id,
                pid=os.getpid(),
                mode=self._mode,
                database_url=urls.database,
                broker_url=urls.broker if full else None,
                sockets=str(self.folder.sockets),
            )
        )
        self._supervisor.start([ProcessService(spec, self.folder, stack_id) for spec in self._processes(urls)])
        return urls

    def stop(self) -> None:
        """Stops processes, then the broker, then Postgres. Nothing to do where nothing runs."""
        if self._supervisor:
            self._supervisor.stop()
            self._supervisor = None
        if self._lock:
            self._state = None
            self.folder.state.unlink(missing_ok=True)
            shutil.rmtree(self.folder.sockets, ignore_errors=True)
            self._lock.release()
            self._lock = None

    def run_until_signal(self) -> None:
        """Returns when the process gets SIGINT, SIGTERM or SIGHUP. From the main thread only; then call `stop`.

        A second signal, during `stop`, ends this process at once, and all others with it.
        """
        asked = threading.Event()

        def ask(number: int, frame: FrameType | None) -> None:
            asked.set()

        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, ask) for number in numbers}
        try:
            while not asked.wait(1.0):
                self.check()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def check(self) -> None:
        """Errors: `StackError` where the stack is not supervised any more, by a defect of ours."""
        if self._supervisor is None or not self._supervisor.alive:
            raise StackError("the local stack has ended: see its log")

    def services(self) -> list[ServiceStatus]:
        """Servers and processes as they are now."""
        return self._supervisor.statuses() if self._supervisor else []

    def publish_phones(self, phones: Mapping[str, str]) -> None:
        """Tells other commands the phones' addresses (name to `host:port`)."""
        self._publish(replace(self.state, phones=dict(phones)))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _take_folder(self) -> FileLock:
        """A command that only uses the database is waited for: it is short."""
        running = find_running_stack(self.folder.root)
        full = running is not None and running.mode is StackMode.FULL
        lock = FileLock(self.folder.lock)
        if lock.acquire(wait_s=min(0.5, self._lock_wait_s) if full else self._lock_wait_s):
            return lock
        holder = lock.holder()
        lock.release()
        what = "paretofarm already runs" if full else "another paretofarm command uses the database"
        raise StackInUse(f"{what} in {self.folder.root} (process {holder}): stop it first")

    def _clear_leftovers(self) -> None:
        """Of a stack whose supervisor was killed together with its guardian."""
        before = StackState.read(self.folder.state)
        self.folder.state.unlink(missing_ok=True)
        if before and (killed := kill_marked(before.stack_id)):
            logger.warning("ended %d processes that an earlier run had left", killed)

    def _servers(self, identity: Identity) -> tuple[PostgresServer, BrokerServer]:
        folder, sockets = self.folder, self.folder.sockets
        create_private(sockets)
        remote = self.remote()
        postgres = PostgresServer(
            postgres_folder(self._environment),
            folder.postgres,
            sockets,
            folder.log("postgres"),
            identity,
            self._postgres_settings,
            remote=remote,
        )
        broker = BrokerServer(
            broker_program(self._environment), folder.broker, sockets, folder.log("broker"), identity, remote=remote
        )
        return postgres, broker

    def remote(self) -> Remote | None:
        """How other machines reach the servers; None where they do not listen."""
        return Remote(self._listen, keep_password(self.folder.password)) if self._listen else None

    def _publish(self, state: StackState) -> None:
        self._state = state
        with readable_errors(self.folder.state, StackError):
            state.write(self.folder.state)
