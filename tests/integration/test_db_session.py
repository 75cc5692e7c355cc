"""Connections: transactions commit or vanish, forks share nothing, an absent server has one clear error."""

import multiprocessing
import threading
import time
from pathlib import Path

import pytest
from services import RunningPostgres
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.notify import CHANNEL, notify
from db.session import Database
from paretofarm.errors import ConfigError, DatabaseUnavailable

ROWS = 100
CHILDREN = 4


def insert_workers(database: Database, owner: str) -> None:
    for number in range(ROWS):
        with database.transaction() as session:
            row = {"name": f"{owner}-{number}"}
            columns = "(name, kind, host, pid, queues, code_version)"
            session.execute(text(f"INSERT INTO workers {columns} VALUES (:name, 'w', 'h', 1, '{{}}', '1')"), row)


def count_workers(database: Database) -> int:
    with database.transaction() as session:
        return session.scalar(text("SELECT count(*) FROM workers")) or 0


def test_error_in_the_block_rolls_everything_back(database: Database) -> None:
    with pytest.raises(KeyError), database.transaction() as session:
        session.execute(text("INSERT INTO events (kind) VALUES ('x')"))
        raise KeyError("oh")
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM events")) == 0


def test_only_transactions_that_are_not_durable_skip_the_disk(database: Database) -> None:
    for durable, expected in ((False, "off"), (True, "on")):
        with database.transaction(durable=durable) as session:
            assert session.scalar(text("SHOW synchronous_commit")) == expected


def test_times_are_utc(database: Database) -> None:
    with database.transaction() as session:
        assert session.scalar(text("SHOW timezone")) == "UTC"


def test_engine_that_was_connected_before_a_fork_loses_nothing(database: Database) -> None:
    """A trap that was fallen into: children that inherit a pool write over each other's sockets."""
    assert count_workers(database) == 0
    forking = multiprocessing.get_context("fork")
    children = [forking.Process(target=insert_workers, args=(database, f"child-{child}")) for child in range(CHILDREN)]
    for child in children:
        child.start()
    insert_workers(database, "parent")
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0] * CHILDREN
    assert count_workers(database) == ROWS * (CHILDREN + 1)


def test_listener_is_woken_by_the_commit(database: Database) -> None:
    with database.listener(CHANNEL) as listener:
        assert listener.wait(0) is False
        threading.Thread(target=_notify, args=(database,)).start()
        started = time.monotonic()
        assert listener.wait(30) is True
        assert time.monotonic() - started < 10
        assert listener.wait(0) is False


def _notify(database: Database) -> None:
    with database.transaction() as session:
        notify(session)
        notify(session)


def test_rolled_back_news_wakes_nobody(database: Database) -> None:
    with database.listener(CHANNEL) as listener:
        with pytest.raises(KeyError), database.transaction() as session:
            notify(session)
            raise KeyError("oh")
        assert listener.wait(0.2) is False


def test_absent_server_is_named_without_the_password(tmp_path: Path) -> None:
    database = Database(f"postgresql://me:s3cret@/farm?host={tmp_path}")
    with pytest.raises(DatabaseUnavailable) as caught, database.transaction() as session:
        session.execute(text("SELECT 1"))
    assert str(tmp_path) in caught.value.message
    assert "s3cret" not in caught.value.message
    with pytest.raises(DatabaseUnavailable), database.listener(CHANNEL):
        pass


def test_killed_server_is_unavailable_and_then_there_again(restartable_postgres: RunningPostgres) -> None:
    database = Database(restartable_postgres.create_database("farm"))
    with database.transaction() as session:
        session.execute(text("CREATE TABLE kept (id int)"))
    with pytest.raises(DatabaseUnavailable), database.listener(CHANNEL) as listener, database.transaction() as session:
        restartable_postgres.kill()
        with pytest.raises(DatabaseUnavailable):
            listener.wait(30)
        session.execute(text("SELECT 1"))
    restartable_postgres.start()
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM kept")) == 0
    database.dispose()


def test_errors_that_are_not_outages_pass_as_they_are(database: Database) -> None:
    with pytest.raises(DBAPIError, match="does not exist"), database.transaction() as session:
        session.execute(text("SELECT * FROM nothing"))


@pytest.mark.parametrize("url", ["nonsense", "sqlite:///x.db", "mysql://me:s3cret@host/db"])
def test_other_databases_are_refused_without_showing_the_url(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Database(url)
    assert "s3cret" not in caught.value.message
