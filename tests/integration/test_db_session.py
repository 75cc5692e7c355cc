"""Connections: transactions commit or vanish, forks share nothing, an absent server has one clear error."""

import multiprocessing
import threading
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from services import RunningPostgres, wait_until
from sqlalchemy import PoolProxiedConnection, text
from sqlalchemy.exc import DBAPIError

from db.notify import CHANNEL, Notifier, notify
from db.session import Database
from paretofarm.errors import ConfigError, DatabaseRefused, DatabaseUnavailable

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


def test_statement_commits_by_itself_and_leaves_transactions_as_they_were(database: Database) -> None:
    insert = text("INSERT INTO events (kind) VALUES ('x')")
    count = text("SELECT count(*) FROM events")
    with pytest.raises(KeyError), database.statement() as connection:
        connection.execute(insert)
        raise KeyError("oh")
    with pytest.raises(DBAPIError, match="null value"), database.statement() as connection:
        connection.execute(text("INSERT INTO events (kind) VALUES (NULL)"))
    with pytest.raises(KeyError), database.transaction() as session:
        session.execute(insert)
        raise KeyError("oh")
    with database.transaction() as session:
        assert session.scalar(count) == 1


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


def test_news_within_the_pause_comes_at_its_end(database: Database) -> None:
    with database.listener(CHANNEL) as listener:
        for _ in range(3):
            with database.statement() as connection:
                notify(connection)
            assert listener.wait(30) is True
        assert listener.wait(0.2) is False


def test_news_that_come_thick_and_fast_are_few_notifications(database: Database) -> None:
    with closing(database.engine.raw_connection()) as ears:
        listen(ears)
        notifier = Notifier(database.engine)
        for _ in range(1000):
            notifier.send()
        notifier.flush()
        wait_until(lambda: heard(ears) >= 2, 20, "the first news and those of the first pause")
        assert heard(ears) <= 20


def test_forked_child_waits_for_no_pause_of_its_parent(database: Database) -> None:
    def child() -> None:
        notify_twice(database)
        database.dispose()

    with closing(database.engine.raw_connection()) as ears:
        listen(ears)
        notify_twice(database)
        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        process.join(60)
        wait_until(lambda: heard(ears) == 4, 20, "four notifications")


def notify_twice(database: Database) -> None:
    """The second within the pause after the first."""
    for _ in range(2):
        with database.statement() as connection:
            notify(connection)


def listen(connection: PoolProxiedConnection) -> None:
    cursor = connection.cursor()
    cursor.execute(f"LISTEN {CHANNEL}")
    connection.commit()


def heard(connection: PoolProxiedConnection) -> int:
    """Notifications so far."""
    driver = connection.driver_connection
    assert driver is not None
    driver.poll()
    return len(driver.notifies)


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
    with pytest.raises(DatabaseUnavailable), database.statement() as connection:
        serving = psutil.Process(connection.scalar(text("SELECT pg_backend_pid()")))
        restartable_postgres.kill()
        serving.wait(30)  # it may answer once more before it sees that its server is gone
        connection.execute(text("SELECT 1"))
    restartable_postgres.start()
    with database.statement() as connection:
        assert connection.scalar(text("SELECT count(*) FROM kept")) == 0
    database.dispose()


def test_errors_that_are_not_outages_pass_as_they_are(database: Database) -> None:
    with pytest.raises(DatabaseRefused, match="does not exist"), database.transaction() as session:
        session.execute(text("SELECT * FROM nothing"))


@pytest.mark.parametrize("url", ["nonsense", "sqlite:///x.db", "mysql://me:s3cret@host/db"])
def test_other_databases_are_refused_without_showing_the_url(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Database(url)
    assert "s3cret" not in caught.value.message
