"""The stack in this process: starts, keeps alive, repairs, stops."""

import os
import shutil
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis
from services import is_alive, quick_stack, wait_until, write_kept_row
from sqlalchemy import NullPool, create_engine, text

from cli.local_stack import LocalStack, ProcessSpec, ServiceStatus, StackMode, StackUrls, find_running_stack
from cli.stack.identity import Identity, choose_identity
from paretofarm.errors import ConfigError, StackError

SLEEP = (sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)")


def scalar(url: str, statement: str) -> object:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        return connection.execute(text(statement)).scalar()


def read_row(url: str) -> object:
    return scalar(url, "SELECT x FROM kept")


def service(stack: LocalStack, name: str) -> ServiceStatus:
    return next(status for status in stack.services() if status.name == name)


def processes_of(stack: LocalStack) -> list[psutil.Process]:
    mine = [psutil.Process(status.pid) for status in stack.services() if status.pid]
    return mine + [child for process in list(mine) for child in process.children(recursive=True)]


def wait_for_restart(stack: LocalStack, name: str, restarts: int = 1) -> None:
    def restarted() -> bool:
        status = service(stack, name)
        return status.restarts >= restarts and status.ready

    wait_until(restarted, 20, f"{name} to run again")


def broker_client(stack: LocalStack) -> Redis:
    return Redis(unix_socket_path=f"{stack.state.sockets}/v.sock")


@pytest.fixture
def stack(stack_folder: Path) -> Iterator[LocalStack]:
    """Servers and one process, `worker`."""
    with quick_stack(stack_folder, lambda urls: [ProcessSpec("worker", SLEEP)]) as running:
        yield running


def test_a_cold_start_makes_the_database_and_a_warm_start_keeps_its_rows(tmp_path: Path) -> None:
    with LocalStack(tmp_path / "data") as first:
        write_kept_row(first.state.database_url)
        assert scalar(first.state.database_url, "SHOW data_checksums") == "on"
        assert scalar(first.state.database_url, "SHOW server_encoding") == "UTF8"
        assert broker_client(first).ping() is True
    with LocalStack(tmp_path / "data") as second:
        assert read_row(second.state.database_url) == 42


def test_other_commands_find_the_stack_while_it_runs_and_no_longer(stack_folder: Path) -> None:
    assert find_running_stack(stack_folder) is None
    with quick_stack(stack_folder) as stack:
        stack.publish_phones({"one": "127.0.0.1:4711"})
        found = find_running_stack(stack_folder)
        assert found == stack.state
        assert found is not None
        assert (found.mode, found.pid, found.phones) == (StackMode.FULL, os.getpid(), {"one": "127.0.0.1:4711"})
    assert find_running_stack(stack_folder) is None


def test_a_state_file_without_a_stack_is_no_stack(stack_folder: Path) -> None:
    with quick_stack(stack_folder) as stack:
        content = stack.folder.state.read_text()
    stack.folder.state.write_text(content)
    assert find_running_stack(stack_folder) is None


def test_stop_leaves_no_process_and_no_socket(stack_folder: Path) -> None:
    with quick_stack(stack_folder, lambda urls: [ProcessSpec("worker", SLEEP)]) as stack:
        sockets, family = Path(stack.state.sockets), processes_of(stack)
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert len(family) > 3
    assert not any(map(is_alive, family))
    assert not sockets.exists()


def test_processes_get_the_addresses_their_environment_and_niceness(stack_folder: Path) -> None:
    def processes(urls: StackUrls) -> list[ProcessSpec]:
        return [ProcessSpec("worker", SLEEP, {"ADDRESS": urls.broker}, nice=7)]

    with quick_stack(stack_folder, processes) as stack:
        worker = psutil.Process(service(stack, "worker").pid)
        wait_until(lambda: worker.cmdline() == list(SLEEP))
        assert worker.environ()["ADDRESS"] == stack.state.broker_url
        assert worker.nice() == psutil.Process().nice() + 7


def test_the_database_is_prepared_before_processes_start(stack_folder: Path) -> None:
    seen: list[object] = []

    def processes(urls: StackUrls) -> list[ProcessSpec]:
        seen.append("processes")
        return []

    with quick_stack(stack_folder, processes, prepare=lambda urls: seen.append(read_row(urls.database))):
        assert seen == [42, "processes"]


def test_a_failing_preparation_leaves_nothing_running(stack_folder: Path) -> None:
    def fail(urls: StackUrls) -> None:
        raise StackError("no")

    with pytest.raises(StackError, match=r"^no$"):
        quick_stack(stack_folder, prepare=fail).start()
    with quick_stack(stack_folder) as again:
        assert read_row(again.state.database_url) == 42


def test_a_killed_process_is_started_again(stack: LocalStack) -> None:
    first = service(stack, "worker").pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for_restart(stack, "worker")
    assert service(stack, "worker").pid != first
    assert service(stack, "worker").exit_code == -signal.SIGKILL


def test_a_process_that_shall_not_restart_keeps_its_exit_code(stack_folder: Path) -> None:
    once = ProcessSpec("once", (sys.executable, "-I", "-S", "-c", "raise SystemExit(3)"), restart=False)
    with quick_stack(stack_folder, lambda urls: [once]) as stack:
        wait_until(lambda: service(stack, "once").exit_code == 3)
        assert service(stack, "once").restarts == 0


def test_a_process_that_ignores_sigterm_is_killed_with_its_group(stack_folder: Path) -> None:
    program = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.fork(); "
        "print(os.getpid(), flush=True); time.sleep(600)"
    )
    stubborn = ProcessSpec("stubborn", (sys.executable, "-I", "-S", "-c", program), grace_s=0.2)
    with quick_stack(stack_folder, lambda urls: [stubborn]) as stack:
        log = stack.folder.log("stubborn")
        wait_until(lambda: len(log.read_text().split()) == 2)
        family = [psutil.Process(int(word)) for word in log.read_text().split()]
    assert not any(map(is_alive, family))


def test_postgres_alone_is_started_again_with_its_rows(stack: LocalStack) -> None:
    worker, postgres = service(stack, "worker").pid, service(stack, "postgres").pid
    assert postgres is not None
    os.kill(postgres, signal.SIGKILL)
    wait_for_restart(stack, "postgres")
    assert read_row(stack.state.database_url) == 42
    assert service(stack, "worker").pid == worker


def test_a_broker_killed_with_its_data_deleted_is_started_empty(stack: LocalStack) -> None:
    with broker_client(stack) as client:
        client.set("key", "value")
    shutil.rmtree(stack.folder.broker)
    broker = service(stack, "broker").pid
    assert broker is not None
    os.kill(broker, signal.SIGKILL)
    wait_for_restart(stack, "broker")
    with broker_client(stack) as client:
        assert client.get("key") is None
        client.set("key", "value")


def last_file(folder: Path) -> Path:
    return next(folder.glob("appendonlydir/*.incr.aof"))


def test_a_broker_file_cut_in_the_middle_is_read_up_to_there(stack_folder: Path) -> None:
    with quick_stack(stack_folder) as stack, broker_client(stack) as client:
        client.set("first", "1")
        client.set("second", "2")
    log = last_file(stack.folder.broker)
    os.truncate(log, log.stat().st_size - 3)
    with quick_stack(stack_folder) as stack, broker_client(stack) as client:
        assert (client.get("first"), client.get("second")) == (b"1", None)


def test_broker_data_that_cannot_be_read_is_moved_aside(stack_folder: Path) -> None:
    with quick_stack(stack_folder) as stack, broker_client(stack) as client:
        client.set("key", "1")
    last_file(stack.folder.broker).write_bytes(b"garbage\n" * 100)
    with quick_stack(stack_folder) as stack, broker_client(stack) as client:
        assert client.get("key") is None
    assert len(list(stack_folder.glob("broker-damaged-*"))) == 1


def test_a_half_made_database_is_made_anew(tmp_path: Path) -> None:
    half = tmp_path / "data" / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with quick_stack(tmp_path / "data") as stack:
        assert scalar(stack.state.database_url, "SELECT 1") == 1
    assert not half.exists()


def test_a_pid_file_that_names_somebody_else_is_no_obstacle(stack_folder: Path) -> None:
    """After a reboot, or in the next container, the number may be anybody's: here, ours."""
    (stack_folder / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{stack_folder}\n1700000000\n5432\n\n\n")
    with quick_stack(stack_folder) as stack:
        assert read_row(stack.state.database_url) == 42


def test_a_database_of_another_version_is_one_clear_line_and_nothing_is_left_running(copied_stack_folder: Path) -> None:
    (copied_stack_folder / "postgres" / "PG_VERSION").write_text("12\n")
    before = psutil.Process().children(recursive=True)
    with pytest.raises(StackError, match="initialized by PostgreSQL version 12") as caught:
        LocalStack(copied_stack_folder).start()
    assert len(str(caught.value).splitlines()) == 1
    assert psutil.Process().children(recursive=True) == before


def test_a_folder_of_other_things_is_not_taken_for_a_database(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "diary.txt").write_text("mine")
    with pytest.raises(StackError, match="not empty and is no Postgres database"):
        LocalStack(tmp_path).start()
    assert (tmp_path / "postgres" / "diary.txt").read_text() == "mine"


def test_a_file_in_the_place_of_the_data_folder_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StackError, match="data: File exists"):
        LocalStack(tmp_path / "data")


def test_a_wrong_program_folder_is_the_users_error(stack_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="PARETOFARM_POSTGRES_BIN="):
        LocalStack(stack_folder, environment={"PARETOFARM_POSTGRES_BIN": str(tmp_path)}).start()


@pytest.mark.parametrize("name", ["d" * 120, "with space, comma & ümlaut"])
def test_any_path_will_do(copied_stack_folder: Path, tmp_path: Path, name: str) -> None:
    """Too long for a socket, or not fit for a URL: the sockets are elsewhere."""
    folder = copied_stack_folder.rename(tmp_path / name)
    with quick_stack(folder) as stack:
        sockets = Path(stack.state.sockets)
        assert tmp_path not in sockets.parents
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert read_row(stack.state.database_url) == 42
        assert broker_client(stack).ping() is True
    assert not sockets.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_without_user_namespaces_hands_the_data_to_nobody_and_takes_it_back(stack_folder: Path) -> None:
    with quick_stack(stack_folder, identity=Identity.NOBODY) as stack:
        assert read_row(stack.state.database_url) == 42
        pid = service(stack, "postgres").pid
        assert psutil.Process(pid).uids().effective == 65534
        assert stack.folder.postgres.stat().st_uid == 65534
    with quick_stack(stack_folder) as stack:
        assert read_row(stack.state.database_url) == 42
        assert stack.folder.postgres.stat().st_uid == choose_identity().owner
