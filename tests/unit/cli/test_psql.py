"""psql's options, and where it is found."""

import os
from pathlib import Path

from cli.psql import find_psql, psql_arguments


def test_the_password_is_never_an_argument() -> None:
    options, secrets = psql_arguments("postgresql+psycopg2://user:pa55word@host:5433/base")
    assert options == ["--host=host", "--port=5433", "--username=user", "--dbname=base"]
    assert secrets == {"PGPASSWORD": "pa55word"}


def test_a_socket_folder_is_a_host() -> None:
    options, secrets = psql_arguments("postgresql+psycopg2://user@/base?host=/run/pg")
    assert options == ["--host=/run/pg", "--username=user", "--dbname=base"]
    assert secrets == {}


def test_the_users_own_psql_comes_first(tmp_path: Path) -> None:
    own = tmp_path / "psql"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    assert find_psql({"PATH": str(tmp_path)}) == own


def test_the_embedded_one_is_found_without_path() -> None:
    program = find_psql({"PATH": ""})
    assert program is not None
    assert os.access(program, os.X_OK)
    assert program.parent.joinpath("postgres").exists()
