"""Where psql is found."""

import os
from pathlib import Path

from cli.psql import find_psql


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
