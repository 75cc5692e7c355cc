"""TLS to database and broker by settings alone: the right authority and host name, or nothing."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from celery import Celery
from certificates import Authority
from services import RunningBroker, RunningPostgres
from sqlalchemy import make_url, text
from tls_front import LOOPBACK, tls_front

from cli.checks import ping_broker
from cli.connection import connected, process_settings
from db import migrate
from db.dispatch import Message
from db.notify import CHANNEL, notify
from paretofarm.broker_url import checked_broker_url
from paretofarm.errors import BrokerUnavailable, DatabaseUnavailable
from paretofarm.lifecycle import Stage
from paretofarm.messaging import celery_settings
from paretofarm.settings import BROKER_URL, DATABASE_URL
from scheduler.broker import Broker

ELSEWHERE = "elsewhere.example"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority.create(folder, "ours")


@pytest.fixture(scope="module")
def stranger(folder: Path) -> Authority:
    return Authority.create(folder, "stranger")


@pytest.fixture(scope="module")
def ports(
    postgres: RunningPostgres, broker: RunningBroker, authority: Authority, folder: Path
) -> Iterator[dict[str, int]]:
    """Of Postgres and the broker behind TLS, each with a certificate of this host and one of another."""
    sockets = {"postgres": postgres.server.sockets / ".s.PGSQL.5432", "broker": broker.server.socket}
    with ExitStack() as stack:
        yield {
            f"{name}@{host}": stack.enter_context(
                tls_front(socket, authority.sign(folder, host), postgres=name == "postgres")
            )
            for name, socket in sockets.items()
            for host in (LOOPBACK, ELSEWHERE)
        }


def database_at(port: int, url: str, authority: Authority) -> str:
    parts = make_url(url)
    query = f"sslmode=verify-full&sslrootcert={authority.file}"
    return f"postgresql+psycopg2://{parts.username}@{LOOPBACK}:{port}/{parts.database}?{query}"


def broker_at(port: int, authority: Authority, number: str = "0") -> str:
    url = f"rediss://{LOOPBACK}:{port}/{number}?ssl_cert_reqs=required&ssl_ca_certs={authority.file}"
    return checked_broker_url(url)


def test_the_database_is_used_over_tls(empty_database_url: str, ports: dict[str, int], authority: Authority) -> None:
    """Migrated, read, written, listened to."""
    url = database_at(ports[f"postgres@{LOOPBACK}"], empty_database_url, authority)
    migrate.upgrade(url)
    with connected(url) as database, database.listener(CHANNEL) as listener:
        with database.transaction() as session:
            assert session.connection().connection.driver_connection.info.ssl_in_use
            session.execute(text("INSERT INTO events (kind) VALUES ('x')"))
            notify(session)
        assert listener.wait(10)


def test_a_database_with_a_strangers_certificate_is_refused(
    empty_database_url: str, ports: dict[str, int], stranger: Authority
) -> None:
    url = database_at(ports[f"postgres@{LOOPBACK}"], empty_database_url, stranger)
    with pytest.raises(DatabaseUnavailable, match="certificate verify failed") as caught:
        migrate.current(url)
    assert "\n" not in str(caught.value)


def test_a_database_with_another_hosts_certificate_is_refused(
    empty_database_url: str, ports: dict[str, int], authority: Authority
) -> None:
    url = database_at(ports[f"postgres@{ELSEWHERE}"], empty_database_url, authority)
    with pytest.raises(DatabaseUnavailable, match=f'"{ELSEWHERE}".* does not match host name') as caught:
        migrate.current(url)
    assert "\n" not in str(caught.value)


def test_messages_travel_over_tls(broker_url: str, ports: dict[str, int], authority: Authority) -> None:
    """From the scheduler's producer to a worker's consumer."""
    number = broker_url.rpartition("=")[2]
    url = broker_at(ports[f"broker@{LOOPBACK}"], authority, number)
    with closing(Broker(url)) as sender:
        sender.send([Message(7, 1, Stage.BUILD, "build")])
        assert sender.drained(["build"]) == set()
    assert ping_broker(url) is None
    with closing(Celery(set_as_current=False)) as app:
        app.conf.update(celery_settings(url))
        with app.connection_for_read() as connection, connection.SimpleQueue("build") as queue:
            message = queue.get(timeout=10)
            assert message.payload[0] == [7, 1]
            message.ack()


@pytest.mark.parametrize("host", [LOOPBACK, ELSEWHERE])
def test_a_broker_that_cannot_prove_who_it_is_gets_no_message(
    ports: dict[str, int], authority: Authority, stranger: Authority, host: str
) -> None:
    trusted = stranger if host == LOOPBACK else authority
    url = broker_at(ports[f"broker@{host}"], trusted)
    with closing(Broker(url)) as sender, pytest.raises(BrokerUnavailable, match="certificate verify failed") as caught:
        sender.send([Message(7, 1, Stage.BUILD, "build")])
    assert "\n" not in str(caught.value)
    assert ping_broker(url) is not None


def test_a_bare_rediss_address_does_not_trust_anybody(ports: dict[str, int]) -> None:
    """kombu would. The system's authorities do not know ours."""
    url = checked_broker_url(f"rediss://{LOOPBACK}:{ports[f'broker@{LOOPBACK}']}/0")
    with closing(Broker(url)) as sender, pytest.raises(BrokerUnavailable, match="certificate verify failed"):
        sender.send([Message(7, 1, Stage.BUILD, "build")])


@pytest.mark.parametrize("mode", ["require", "prefer"])
def test_encryption_without_knowing_to_whom_is_warned_about(mode: str, caplog: pytest.LogCaptureFixture) -> None:
    environment = {DATABASE_URL: f"postgresql://u:pa55@host/b?sslmode={mode}", BROKER_URL: "redis://host/0"}
    process_settings(environment)
    assert f"sslmode={mode}: anybody could answer" in caplog.text
    caplog.clear()
    process_settings({**environment, DATABASE_URL: "postgresql://host/b?sslmode=verify-full&sslrootcert=ca.pem"})
    assert caplog.text == ""
