"""PostgreSQL from its own program: one folder of data, one unix socket, no TCP port unless it is asked for."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
from psycopg2.extensions import encrypt_password

from cli.file_errors import readable_errors
from cli.stack.child import Launch, Signals
from cli.stack.guardian import all_processes
from cli.stack.identity import Identity, hand_over, launch_command
from cli.stack.logfile import complaint
from cli.stack.remote import DATABASE, REMOTE_USER, Remote, write_private
from paretofarm.errors import DatabaseUnavailable, StackError

USER = "paretofarm"
PORT = 5432
"""Names the socket; taken on TCP only with another number, and where that is asked for."""
GROUPS_OF_REMOTES = ("paretofarm_worker", "paretofarm_agent")
ACCESS = """\
local all all trust
host all {user} all scram-sha-256
host all all all reject
"""
"""pg_hba.conf of a server that listens: the socket lies in a private folder, other machines need the password."""
INITDB_TIMEOUT_S = 120
ORPHAN_GRACE_S = 2.0
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "max_wal_size": "512MB",
    "log_min_messages": "warning",
    "logging_collector": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
THROWAWAY: Mapping[str, str] = {"fsync": "off", "full_page_writes": "off"}
"""Settings for a database that nobody will miss, in tests."""


@dataclass(frozen=True)
class PostgresServer:
    """One server on `data`, with its socket in `sockets`, a private folder that exists. A service of the supervisor."""

    programs: Path
    data: Path
    sockets: Path
    log: Path
    identity: Identity = Identity.SAME
    settings: Mapping[str, str] = field(default_factory=dict)
    name: str = "postgres"
    rank: int = 0
    restart: bool = True
    remote: Remote | None = None
    start_timeout_s: float = 120.0
    stop_signals: Signals = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))

    def url(self, database: str = DATABASE) -> str:
        """SQLAlchemy's address of one of the server's databases."""
        return f"postgresql+psycopg2://{USER}@/{database}?host={self.sockets}&port={self.port}"

    @property
    def port(self) -> int:
        return self.remote.address.port if self.remote else PORT

    def prepare(self) -> Launch:
        """Makes the data folder where there is none, and removes what a killed server has left."""
        with readable_errors(self.data, StackError):
            if not (self.data / "PG_VERSION").exists():
                self._initialise()
            hand_over(self.data, self.identity)
            self.sockets.mkdir(mode=0o700, exist_ok=True)
            hand_over(self.sockets, self.identity)
            end_orphans(self.data)
            access = self._write_access() if self.remote else {}
        place = {"unix_socket_directories": str(self.sockets), "port": str(self.port)}
        settings = {**SETTINGS, **self.settings, **place, **access}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Launch(
            argv=(str(self.programs / "postgres"), "-D", str(self.data), *options),
            environment=ENVIRONMENT,
            log=self.log,
            identity=self.identity,
            death_signal=signal.SIGQUIT,
        )

    def _initialise(self) -> None:
        """Under another name first: a killed initdb is never taken for a database."""
        new = self.data.with_name(self.data.name + ".new")
        if self.data.exists() and any(self.data.iterdir()):
            raise StackError(f"{self.data} is not empty and is no Postgres database: move it away")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700, parents=True)
        hand_over(new, self.identity)
        argv = [str(self.programs / "initdb"), "-D", str(new), "-U", USER, "--auth=trust", "--encoding=UTF8"]
        argv += ["--no-locale", "--data-checksums", "--no-instructions"]
        if self.settings.get("fsync") == "off":
            argv.append("--no-sync")
        command = launch_command(argv, identity=self.identity)
        done = subprocess.run(command, capture_output=True, timeout=INITDB_TIMEOUT_S, env=ENVIRONMENT, check=False)
        if done.returncode != 0:
            raise StackError(f"initdb failed in {new}: {complaint(done.stderr.decode('utf-8', 'replace'))}")
        new.replace(self.data)

    def _write_access(self) -> dict[str, str]:
        """Settings that let other machines in, with the file they name."""
        assert self.remote is not None
        file = self.sockets / "pg_hba.conf"
        write_private(file, ACCESS.format(user=REMOTE_USER))
        hand_over(file, self.identity)
        return {"listen_addresses": self.remote.address.host, "hba_file": str(file)}

    def admit(self, remote: Remote) -> None:
        """Lets the remote user in with this password, to do what workers and agents may."""
        connection = self.connect(DATABASE)
        try:
            # Made here, since a password in a statement may end up in the server's log.
            verifier = encrypt_password(remote.password, REMOTE_USER, connection, "scram-sha-256")
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (REMOTE_USER,))
                verb = "CREATE" if cursor.fetchone() is None else "ALTER"
                cursor.execute(f"{verb} ROLE {REMOTE_USER} LOGIN PASSWORD %s", (verifier,))
                cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", (list(GROUPS_OF_REMOTES),))
                for (group,) in cursor.fetchall():
                    cursor.execute(f"GRANT {group} TO {REMOTE_USER}")
        finally:
            connection.close()

    def is_ready(self) -> bool:
        try:
            connection = self.connect("postgres")
        except DatabaseUnavailable:
            return False
        connection.close()
        return True

    def connect(self, database: str) -> "psycopg2.extensions.connection":
        """A connection in autocommit mode. Errors: `DatabaseUnavailable`."""
        try:
            connection = psycopg2.connect(
                host=str(self.sockets), port=self.port, user=USER, dbname=database, connect_timeout=5
            )
        except psycopg2.OperationalError as error:
            raise DatabaseUnavailable(f"{self.name}: {error}".strip()) from error
        connection.autocommit = True
        return connection

    def create_database(self, name: str = DATABASE, *, template: str = "template1") -> str:
        """Makes a database where it is absent; its address."""
        connection = self.connect("postgres")
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
                if cursor.fetchone() is None:
                    cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        finally:
            connection.close()
        return self.url(name)

    def repair(self, log: str) -> bool:
        return False


def end_orphans(data: Path) -> None:
    """Ends what is left of an earlier server on this folder, and removes its pid file.

    The caller holds the folder's lock, so whatever runs here has lost its supervisor. The pid file alone proves
    nothing: after a reboot or in another container its number may be anybody's.
    """
    deadline = time.monotonic() + ORPHAN_GRACE_S
    while left := _servers_in(data):
        number = signal.SIGQUIT if time.monotonic() < deadline else signal.SIGKILL
        if time.monotonic() > deadline + ORPHAN_GRACE_S:
            raise StackError(f"an earlier Postgres (process {left[0]}) on {data} does not end")
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process, number)
        time.sleep(0.05)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _servers_in(data: Path) -> list[int]:
    """Running Postgres processes that belong to the folder: the pid file's, and on Linux all that stand in it."""
    found = [process for process in all_processes() if _stands_in(process, data) and _is_postgres(process)]
    with suppress(OSError, ValueError):
        recorded = int((data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
        if recorded not in found and _is_postgres(recorded) and str(data) in " ".join(_command_line(recorded)):
            found.append(recorded)
    return found


def _stands_in(process: int, folder: Path) -> bool:
    try:
        return Path(f"/proc/{process}/cwd").readlink() == folder.resolve()
    except OSError:
        return False


def _is_postgres(process: int) -> bool:
    """By its program or its title (`postgres: checkpointer`): an editor of a file in the folder is none."""
    words = _command_line(process)
    return bool(words) and Path(words[0].split(":")[0]).name == "postgres"


def _command_line(process: int) -> list[str]:
    """Empty for a process that is gone, or a zombie."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{process}/cmdline").read_bytes().decode("utf-8", "replace").strip("\0").split("\0")
        except OSError:
            return []
    ps = ["/bin/ps", "-ww", "-o", "command=", "-p", str(process)]
    return subprocess.run(ps, capture_output=True, text=True, timeout=10, check=False).stdout.strip().split(" -")
