"""What doctor says of settings that are wrong: every check has its say, none ends it."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.checks import examine
from cli.connection import data_folder
from cli.finding import Finding
from cli.main import main
from paretofarm.errors import ConfigError


@pytest.fixture
def here(tmp_path: Path) -> dict[str, str]:
    """Settings of a folder in which nothing has happened yet."""
    return {"PARETOFARM_DATA": str(tmp_path / "data")}


def findings(settings: Mapping[str, str]) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(settings)}


def test_a_store_of_an_unknown_kind_is_missing(here: dict[str, str]) -> None:
    found = findings({**here, "PARETOFARM_ARTIFACTS": "zzz://bucket"})["artifacts"]
    assert (found.ok, found.essential) == (False, True)
    assert "Protocol not known: zzz" in found.what


def test_a_wrong_setting_leaves_the_other_checks_alone(here: dict[str, str]) -> None:
    found = findings({**here, "PARETOFARM_RESEND_SECONDS": "abc"})
    assert found["storage"].what == "PARETOFARM_RESEND_SECONDS is 'abc', not a number of seconds"
    assert {"python", "local stack", "database", "broker", "phones"} <= set(found)


def test_a_local_folder_is_no_store_for_a_database_elsewhere(here: dict[str, str]) -> None:
    found = findings({**here, "PARETOFARM_DATABASE_URL": "postgresql://user:pa55@db.example.invalid:port/x"})
    assert found["storage"].what.startswith("the database url cannot be read")
    found = findings({**here, "PARETOFARM_DATABASE_URL": "postgresql://user@127.0.0.9:1/base"})
    assert not found["artifacts"].ok
    assert found["artifacts"].remedy == "set PARETOFARM_ARTIFACTS to the store that all processes use"
    assert findings({**here, "PARETOFARM_DATABASE_URL": "postgresql://user@127.0.0.1:1/base"})["artifacts"].ok


@pytest.mark.parametrize("below", ["", "/below"])
def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    settings = {"PARETOFARM_DATA": f"{tmp_path}/file{below}"}
    with pytest.raises(ConfigError, match=f"file{below} is no folder: set PARETOFARM_DATA to one"):
        data_folder(settings)
    assert findings(settings)["data"].what.endswith("is no folder: set PARETOFARM_DATA to one")
    result = CliRunner().invoke(main, ["search", "list"], env=settings)
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        (["search", "list"], {"PARETOFARM_DATABASE_URL": "postgresql://user:pa55@127.0.0.1:port/base"}),
        (
            ["scheduler"],
            {
                "PARETOFARM_DATABASE_URL": "postgresql://user@127.0.0.1:1/base",
                "PARETOFARM_BROKER_URL": "redis://:pa55@host:port/0",
            },
        ),
    ],
)
def test_a_port_that_is_no_number_is_the_users_input(command: list[str], settings: dict[str, str]) -> None:
    result = CliRunner().invoke(main, command, env=settings)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "url cannot be read; expected" in result.stderr
    assert "pa55" not in result.stderr


def test_every_setting_is_in_the_help() -> None:
    assert "PARETOFARM_RESEND_SECONDS" in CliRunner().invoke(main, ["--help"]).stdout
