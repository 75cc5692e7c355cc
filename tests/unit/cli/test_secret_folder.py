"""`paretofarm secrets`: makes what is missing, never changes what is there unasked, readable by whom it concerns."""

import hashlib
import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from cli.secret_folder import BROKER_ACL, NAMES, SecretFolder
from paretofarm.errors import ConfigError


def run(*arguments: str, text: str | None = None) -> str:
    result = CliRunner().invoke(main, ["secrets", *arguments], input=text)
    assert result.exit_code == 0, result.output
    return result.output


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_missing_secrets_are_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert "made: database-admin" in run("init", "--out", str(folder))
    first = {name: (folder / name).read_text() for name in NAMES}
    assert len(set(first.values())) == len(NAMES)
    assert "nothing to do" in run("init", "--out", str(folder))
    assert {name: (folder / name).read_text() for name in NAMES} == first


def test_secrets_are_the_owners_alone(tmp_path: Path) -> None:
    SecretFolder(tmp_path / "new").init()
    assert mode(tmp_path / "new") == 0o700
    assert {mode(file) for file in (tmp_path / "new").iterdir()} == {0o400}


def test_a_group_may_be_let_in(tmp_path: Path) -> None:
    SecretFolder(tmp_path, {"broker": os.getgid()}).init()
    assert (mode(tmp_path / "broker"), mode(tmp_path / "grafana-admin")) == (0o440, 0o400)


def test_ones_own_secret_stays(tmp_path: Path) -> None:
    (tmp_path / "broker").write_text("mine\n")
    (tmp_path / "broker").chmod(0o600)
    assert "broker" not in SecretFolder(tmp_path).init()
    assert (tmp_path / "broker").read_text() == "mine\n"
    assert hashlib.sha256(b"mine").hexdigest() in (tmp_path / BROKER_ACL).read_text()


def test_a_secret_may_be_set_later(tmp_path: Path) -> None:
    run("init", "--out", str(tmp_path))
    run("set", "broker", "--out", str(tmp_path), text="another\n")
    assert (tmp_path / "broker").read_text() == "another"
    assert hashlib.sha256(b"another").hexdigest() in (tmp_path / BROKER_ACL).read_text()
    assert "another" not in (tmp_path / BROKER_ACL).read_text()


def test_renewing_makes_another_one(tmp_path: Path) -> None:
    run("init", "--out", str(tmp_path))
    before = (tmp_path / "database-worker").read_text()
    run("renew", "database-worker", "broker", "--out", str(tmp_path))
    assert (tmp_path / "database-worker").read_text() != before


def test_secrets_are_never_printed(tmp_path: Path) -> None:
    output = run("init", "--out", str(tmp_path)) + run("renew", *NAMES, "--out", str(tmp_path))
    assert not [name for name in NAMES if (tmp_path / name).read_text() in output]


@pytest.mark.parametrize("text", ["", "\n", "two\nlines\n"])
def test_what_is_no_password_is_refused(tmp_path: Path, text: str) -> None:
    result = CliRunner().invoke(main, ["secrets", "set", "broker", "--out", str(tmp_path)], input=text)
    assert result.exit_code == 2
    assert not (tmp_path / "broker").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file"):
        SecretFolder(tmp_path / "file" / "secrets").init()


def test_logins_need_their_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="database-worker: No such file"):
        SecretFolder(tmp_path).logins(["worker"])


def test_an_adb_key_is_made_once(tmp_path: Path) -> None:
    key = tmp_path / "keys" / "adbkey"
    run("adb-key", str(key))
    first = key.read_bytes()
    run("adb-key", str(key))
    assert key.read_bytes() == first
    assert (mode(key), mode(tmp_path / "keys" / "adbkey.pub")) == (0o600, 0o644)
