"""What the database will not do is one line without SQL, and a service says at its start which right is missing."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from services import RunningPostgres
from sqlalchemy import make_url, text

from cli.connection import connected
from db.roles import ROLES, check_rights
from db.session import Database
from paretofarm.errors import DatabaseRefused


@pytest.fixture
def reader_url(postgres: RunningPostgres, database: Database, database_url: str) -> str:
    """The same database, as a user who may only read. Users belong to the whole server."""
    with database.transaction() as session:
        known = session.scalar(text("SELECT count(*) FROM pg_roles WHERE rolname = 'just_looking'"))
        if not known:
            session.execute(text("CREATE ROLE just_looking LOGIN IN ROLE paretofarm_reader"))
    return make_url(database_url).set(username="just_looking").render_as_string(hide_password=False)


def test_whoever_may_write_is_let_through(database: Database) -> None:
    for role in ("scheduler", "worker", "agent", "reader"):
        check_rights(database, role)


def test_a_right_that_is_missing_names_user_and_role(reader_url: str) -> None:
    with connected(reader_url) as reader, pytest.raises(DatabaseRefused) as caught:
        check_rights(reader, "scheduler")
    assert str(caught.value) == (
        "the database user 'just_looking' may not INSERT experiments, INSERT candidates, INSERT evaluations, "
        "INSERT events, INSERT workers, UPDATE experiments, UPDATE candidates, UPDATE evaluations, UPDATE workers: "
        "connect as another one, GRANT paretofarm_scheduler TO just_looking, or, where that was done, run "
        "`paretofarm db upgrade` as the database's owner"
    )


def test_a_single_column_that_may_not_be_changed_is_named(database: Database, database_url: str) -> None:
    """As after a migration by somebody who may not grant: the role is there, but knows nothing of the new column."""
    with database.transaction() as session:
        session.execute(text("DROP ROLE IF EXISTS half_a_worker"))
        session.execute(text("CREATE ROLE half_a_worker LOGIN"))
        for statement in _grants_but("evaluations", "not_before"):
            session.execute(text(statement))
    url = make_url(database_url).set(username="half_a_worker").render_as_string(hide_password=False)
    try:
        with connected(url) as worker, pytest.raises(DatabaseRefused) as caught:
            check_rights(worker, "worker")
        assert str(caught.value).startswith(
            "the database user 'half_a_worker' may not UPDATE evaluations.not_before: connect as another one"
        )
    finally:
        with database.transaction() as session:
            session.execute(text("DROP OWNED BY half_a_worker; DROP ROLE half_a_worker"))


def _grants_but(table: str, column: str) -> Iterator[str]:
    """All that a worker has, apart from one column of a table."""
    role = ROLES["worker"]
    yield from (f"GRANT INSERT ON {name} TO half_a_worker" for name in role.inserts)
    for name, columns in role.updates.items():
        left = [each for each in columns if (name, each) != (table, column)]
        which = "" if left == ["*"] else f"({', '.join(left)})"
        yield f"GRANT UPDATE {which} ON {name} TO half_a_worker"


@pytest.mark.parametrize("service", ["scheduler", "worker"])
def test_a_service_that_may_not_write_ends_at_once(service: str, reader_url: str, broker_url: str) -> None:
    environment = {**os.environ, "PARETOFARM_DATABASE_URL": reader_url, "PARETOFARM_BROKER_URL": broker_url}
    argv = [sys.executable, "-P", "-m", "cli", service]
    result = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert result.stderr.startswith("paretofarm: the database user 'just_looking' may not INSERT ")
    assert f"GRANT paretofarm_{service} TO just_looking" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_refused_statement_is_shown_to_those_who_debug(reader_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "db.session")
    with connected(reader_url) as reader, pytest.raises(DatabaseRefused) as caught, reader.transaction() as session:
        session.execute(text("UPDATE experiments SET reason = 'because'"))
    assert str(caught.value) == (
        "the database user 'just_looking' may not do that: permission denied for table experiments"
    )
    assert "UPDATE experiments SET reason" in caplog.text


def test_a_number_that_no_column_holds_is_refused_in_one_line(database: Database) -> None:
    with pytest.raises(DatabaseRefused, match=r"refuses: bigint out of range$"), database.transaction() as session:
        session.execute(text("SELECT CAST(1e30 AS bigint)"))


def test_tables_that_are_not_there_name_the_remedy(empty_database_url: str) -> None:
    with (
        connected(empty_database_url) as empty,
        pytest.raises(DatabaseRefused, match=r"\(relation .* does not exist\): `paretofarm db upgrade`"),
        empty.transaction() as session,
    ):
        session.execute(text("SELECT * FROM experiments"))
