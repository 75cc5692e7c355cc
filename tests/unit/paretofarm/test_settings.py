"""Settings of the processes come from the environment alone."""

from pathlib import Path

import pytest

from paretofarm.errors import ConfigError
from paretofarm.settings import Settings, with_password

ENVIRONMENT = {
    "PARETOFARM_DATABASE_URL": "postgresql+psycopg2://farm:secret@db/paretofarm",
    "PARETOFARM_BROKER_URL": "redis://:secret@broker/0",
}


def test_a_child_process_gets_the_same_settings() -> None:
    settings = Settings.from_environment({**ENVIRONMENT, "PARETOFARM_CACHE": "/var/cache/farm"})
    assert Settings.from_environment(settings.environment()) == settings
    assert settings.cache == Path("/var/cache/farm")


def test_passwords_are_not_in_the_repr() -> None:
    assert "secret" not in repr(Settings.from_environment(ENVIRONMENT))


def test_a_missing_url_is_named_with_the_cure() -> None:
    with pytest.raises(ConfigError, match=r"PARETOFARM_BROKER_URL is not set.*paretofarm up"):
        Settings.from_environment({"PARETOFARM_DATABASE_URL": "x"})


@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan"])
def test_a_lease_must_last_some_time(value: str) -> None:
    with pytest.raises(ConfigError, match="PARETOFARM_LEASE_SECONDS"):
        Settings.from_environment({**ENVIRONMENT, "PARETOFARM_LEASE_SECONDS": value})


@pytest.mark.parametrize(
    ("url", "complete"),
    [
        ("postgresql+psycopg2://worker@db:5432/farm", "postgresql+psycopg2://worker:p%40%3A%2F@db:5432/farm"),
        ("redis://broker:6379/0", "redis://:p%40%3A%2F@broker:6379/0"),
        ("rediss://worker@broker", "rediss://worker:p%40%3A%2F@broker"),
        ("redis://[fd00::7]:6379/0", "redis://:p%40%3A%2F@[fd00::7]:6379/0"),
        ("redis+socket:///run/v.sock?virtual_host=0", "redis+socket://:p%40%3A%2F@/run/v.sock?virtual_host=0"),
        ("postgresql://worker:own@db/farm", "postgresql://worker:own@db/farm"),
    ],
)
def test_a_password_completes_an_address_that_has_none(url: str, complete: str) -> None:
    assert with_password(url, "p@:/") == complete


def test_no_password_changes_no_address() -> None:
    assert with_password("redis://broker:6379/0", "") == "redis://broker:6379/0"


def test_passwords_may_be_said_beside_the_addresses() -> None:
    settings = Settings.from_environment(
        {
            "PARETOFARM_DATABASE_URL": "postgresql://worker@db/farm",
            "PARETOFARM_DATABASE_PASSWORD": "one",
            "PARETOFARM_BROKER_URL": "redis://broker/0",
            "PARETOFARM_BROKER_PASSWORD": "two",
        }
    )
    assert settings.database_url == "postgresql://worker:one@db/farm"
    assert settings.broker_url == "redis://:two@broker/0"
    assert "one" not in repr(settings)
