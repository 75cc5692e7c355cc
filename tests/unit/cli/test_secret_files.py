"""Passwords in files complete the servers' addresses; what is wrong with a file is one line that names it."""

from pathlib import Path

import pytest

from cli.checks import examine
from cli.secret_files import read_secret, with_secrets
from paretofarm.errors import ConfigError

URL = "postgresql+psycopg2://worker@db/farm"


def secret(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "password"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_file_completes_the_address(tmp_path: Path) -> None:
    file = secret(tmp_path, b"a b\xc3\xa9\n")
    environment = with_secrets({"PARETOFARM_DATABASE_URL": URL, "PARETOFARM_DATABASE_PASSWORD_FILE": str(file)})
    assert environment["PARETOFARM_DATABASE_URL"] == "postgresql+psycopg2://worker:a%20b%C3%A9@db/farm"


def test_a_file_for_an_address_that_is_not_set_is_not_read() -> None:
    environment = {"PARETOFARM_BROKER_PASSWORD_FILE": "/nowhere"}
    assert with_secrets(environment) == environment


@pytest.mark.parametrize(
    ("content", "mode", "complaint"),
    [
        (b"", 0o600, "is empty"),
        (b"\n", 0o600, "is empty"),
        (b"one\ntwo\n", 0o600, "more than one line"),
        (b"\xff", 0o600, "not UTF-8"),
        (b"x" * 5000, 0o600, "not a password"),
        (b"fine", 0o644, "everybody on this machine may read it: chmod o="),
    ],
)
def test_a_file_that_is_no_private_password_is_refused(
    tmp_path: Path, content: bytes, mode: int, complaint: str
) -> None:
    file = secret(tmp_path, content, mode)
    with pytest.raises(ConfigError, match=rf"PARETOFARM_DATABASE_PASSWORD_FILE: {file}: .*{complaint}"):
        with_secrets({"PARETOFARM_DATABASE_URL": URL, "PARETOFARM_DATABASE_PASSWORD_FILE": str(file)})


def test_a_group_may_read_it(tmp_path: Path) -> None:
    """Containers of other users share secrets by a group."""
    assert read_secret(secret(tmp_path, b"shared", 0o440)) == "shared"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="absent: No such file"):
        read_secret(tmp_path / "absent")


def test_a_password_said_twice_is_an_error(tmp_path: Path) -> None:
    both = {"PARETOFARM_DATABASE_PASSWORD": "x", "PARETOFARM_DATABASE_PASSWORD_FILE": str(secret(tmp_path, b"y"))}
    with pytest.raises(ConfigError, match="both set"):
        with_secrets({"PARETOFARM_DATABASE_URL": URL, **both})


def test_the_doctor_names_a_bad_file(tmp_path: Path) -> None:
    environment = {
        "PARETOFARM_DATA": str(tmp_path),
        "PARETOFARM_DATABASE_URL": "postgresql://worker@127.0.0.1:1/farm",
        "PARETOFARM_DATABASE_PASSWORD_FILE": str(tmp_path / "absent"),
    }
    findings = {finding.name: finding for finding in examine(environment)}
    assert not findings["passwords"].ok
    assert "absent: No such file" in findings["passwords"].what
