"""The database for short commands: alone, several at once, beside a running stack, killed in the middle."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from services import is_alive, quick_stack, wait_until
from sqlalchemy import NullPool, create_engine, text

from cli.local_stack import StackMode, embedded_database, find_running_stack
from paretofarm.errors import StackError

COMMAND = """
import json, sys
from pathlib import Path
from cli.local_stack import embedded_database, find_running_stack
with embedded_database(Path(sys.argv[1])) as url:
    print(json.dumps([url, find_running_stack(Path(sys.argv[1])).pid]), flush=True)
    sys.stdin.readline()
"""


class Commands:
    """Starts commands that use the database until they are told to end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cleanup = ExitStack()

    def start(self) -> "subprocess.Popen[str]":
        argv = [sys.executable, "-c", COMMAND, str(self._folder)]
        command = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._cleanup.enter_context(command)
        self._cleanup.callback(command.kill)
        return command

    def close(self) -> None:
        self._cleanup.close()


@pytest.fixture
def commands(stack_folder: Path) -> Iterator[Commands]:
    made = Commands(stack_folder)
    yield made
    made.close()
    wait_until(lambda: find_running_stack(stack_folder) is None, 10, "the keeper to end")


def ready(command: "subprocess.Popen[str]") -> tuple[str, int]:
    """Address of the database and process id of its keeper."""
    assert command.stdout is not None
    url, keeper = json.loads(command.stdout.readline())
    return url, keeper


def end(command: "subprocess.Popen[str]") -> None:
    command.communicate("\n", timeout=15)
    assert command.returncode == 0


def read_row(url: str) -> object:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        return connection.execute(text("SELECT x FROM kept")).scalar()


def test_the_database_runs_for_the_block_and_no_longer(stack_folder: Path) -> None:
    with embedded_database(stack_folder) as url:
        assert read_row(url) == 42
        running = find_running_stack(stack_folder)
        assert running is not None
        assert running.mode is StackMode.DATABASE
        family = [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
    assert find_running_stack(stack_folder) is None
    wait_until(lambda: not any(map(is_alive, family)), 2, "the keeper to end")


def test_the_first_command_makes_the_database(tmp_path: Path) -> None:
    with embedded_database(tmp_path / "new") as url, create_engine(url, poolclass=NullPool).begin() as connection:
        assert connection.execute(text("SELECT current_database()")).scalar() == "paretofarm"


def test_a_package_of_our_name_in_the_current_folder_is_not_taken_for_ours(
    stack_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "__init__.py").write_text("raise ImportError('somebody else')")
    monkeypatch.chdir(tmp_path)
    with embedded_database(stack_folder) as url:
        assert read_row(url) == 42


def test_commands_started_at_once_share_one_database_until_the_last_ends(commands: Commands) -> None:
    three = [commands.start() for _ in range(3)]
    answers = [ready(command) for command in three]
    assert len(set(answers)) == 1
    url, keeper = answers[0][0], psutil.Process(answers[0][1])
    end(three[0])
    end(three[1])
    assert read_row(url) == 42
    end(three[2])
    wait_until(lambda: not is_alive(keeper), 2, "the keeper to end")


def test_a_killed_command_does_not_keep_the_database_running(commands: Commands, stack_folder: Path) -> None:
    command = commands.start()
    _, keeper = ready(command)
    process = psutil.Process(keeper)
    command.kill()
    wait_until(lambda: not is_alive(process), 5, "the keeper to end")
    assert find_running_stack(stack_folder) is None


def test_a_killed_keeper_is_replaced_for_the_next_command(commands: Commands, stack_folder: Path) -> None:
    first = commands.start()
    keeper = psutil.Process(ready(first)[1])
    family = keeper.children(recursive=True)
    keeper.kill()
    wait_until(lambda: find_running_stack(stack_folder) is None, 2, "the keeper to end")
    with embedded_database(stack_folder) as url:
        assert read_row(url) == 42
    wait_until(lambda: not any(map(is_alive, family)), 2, "the old keeper's processes to end")
    end(first)


def test_a_running_stack_is_used_as_it_is(stack_folder: Path) -> None:
    with quick_stack(stack_folder) as stack:
        with embedded_database(stack_folder) as url:
            assert url == stack.state.database_url
        assert read_row(url) == 42


def test_a_stack_cannot_start_while_a_command_uses_the_database(commands: Commands, stack_folder: Path) -> None:
    command = commands.start()
    _, keeper = ready(command)
    with pytest.raises(StackError, match=rf"another paretofarm command uses the database .*\(process {keeper}\)"):
        quick_stack(stack_folder, lock_wait_s=0.2).start()
    end(command)
    with quick_stack(stack_folder) as stack:
        assert read_row(stack.state.database_url) == 42


def test_a_database_that_does_not_start_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "diary.txt").write_text("mine")
    expected = "not empty and is no Postgres database"
    with pytest.raises(StackError, match=expected) as caught, embedded_database(tmp_path):
        pytest.fail("there is no database to be used")
    assert len(str(caught.value).splitlines()) == 1
