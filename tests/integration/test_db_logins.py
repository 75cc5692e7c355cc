"""Services log in as users of their own, whose passwords the server never sees."""

import base64
import hashlib
import hmac
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from db.logins import LOGINS, keep_logins
from db.session import Database
from paretofarm.errors import ConfigError, DatabaseRefused, DatabaseUnavailable

PASSWORDS = {name: f"{name}'s pass:word" for name in LOGINS}


@pytest.fixture(autouse=True)
def no_logins_remain(database: Database) -> Iterator[None]:
    """Users are the server's, which other tests share."""
    yield
    with database.transaction() as session:
        for name in (*LOGINS, "logins_maker"):
            session.execute(text(f"DROP ROLE IF EXISTS {name}"))


def verifier(database: Database, name: str) -> str:
    with database.transaction() as session:
        stored = session.scalar(text("SELECT rolpassword FROM pg_authid WHERE rolname = :name"), {"name": name})
    assert isinstance(stored, str)
    return stored


def opens(stored: str, password: str) -> bool:
    """Whether a client with this password would be let in (RFC 5802)."""
    _, rounds_and_salt, keys = stored.split("$")
    rounds, salt = rounds_and_salt.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return base64.b64encode(hashlib.sha256(client_key).digest()).decode() == keys.split(":")[0]


def as_user(url: str, name: str) -> Database:
    return Database(create_engine(url).url.set(username=name).render_as_string(hide_password=False))


def test_passwords_open_their_users(database: Database, database_url: str) -> None:
    keep_logins(database_url, PASSWORDS)
    stored = {name: verifier(database, name) for name in LOGINS}
    assert all(opens(stored[name], PASSWORDS[name]) for name in LOGINS)
    assert not opens(stored["worker"], PASSWORDS["agent"])
    assert not [name for name in LOGINS if PASSWORDS[name] in stored[name]]


def test_a_password_is_replaced_by_doing_it_again(database: Database, database_url: str) -> None:
    keep_logins(database_url, PASSWORDS)
    keep_logins(database_url, {**PASSWORDS, "worker": "new"})
    assert opens(verifier(database, "worker"), "new")
    assert opens(verifier(database, "agent"), PASSWORDS["agent"])


def test_a_user_may_do_what_the_role_may(database_url: str) -> None:
    keep_logins(database_url, PASSWORDS)
    reader = as_user(database_url, "reader")
    try:
        with reader.transaction() as session:
            assert session.scalar(text("SELECT count(*) FROM pareto_front")) == 0
        with pytest.raises(DatabaseRefused, match="permission denied"), reader.transaction() as session:
            session.execute(text("UPDATE candidates SET status = 'failed'"))
    finally:
        reader.dispose()


def test_somebody_elses_user_of_that_name_is_left_alone(database: Database, database_url: str) -> None:
    with database.transaction() as session:
        session.execute(text("CREATE ROLE worker LOGIN"))
    with pytest.raises(ConfigError, match="a user worker that is not paretofarm's"):
        keep_logins(database_url, PASSWORDS)


def test_who_may_not_create_users_is_told(database: Database, database_url: str) -> None:
    with database.transaction() as session:
        session.execute(text("CREATE ROLE logins_maker LOGIN"))
    logins_maker = create_engine(database_url).url.set(username="logins_maker").render_as_string(hide_password=False)
    with pytest.raises(DatabaseUnavailable, match="logins_maker cannot keep logins: permission denied"):
        keep_logins(logins_maker, PASSWORDS)
