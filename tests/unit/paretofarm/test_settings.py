"""Settings of the processes come from the environment alone."""

from pathlib import Path

import pytest

from paretofarm.errors import ConfigError
from paretofarm.settings import Settings

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
