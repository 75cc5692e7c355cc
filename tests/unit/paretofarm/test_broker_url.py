"""Addresses of brokers: plain ones as they are, TLS only with verification."""

import pytest

from paretofarm.broker_url import checked_broker_url
from paretofarm.errors import ConfigError
from paretofarm.settings import Settings

SAFE = "ssl_cert_reqs=required&ssl_check_hostname=true"


@pytest.mark.parametrize("url", ["redis://:pa55@host:6379/0", "redis+socket:///run/v.sock?virtual_host=0"])
def test_plain_addresses_stay_as_they_are(url: str) -> None:
    assert checked_broker_url(url) == url


@pytest.mark.parametrize(
    ("url", "complete"),
    [
        ("rediss://:pa55@host:6380/0", f"rediss://:pa55@host:6380/0?{SAFE}"),
        ("rediss://host/0?ssl_ca_certs=/etc/ca.pem", f"rediss://host/0?ssl_ca_certs=/etc/ca.pem&{SAFE}"),
        ("rediss://host/0?ssl_cert_reqs=CERT_REQUIRED", f"rediss://host/0?{SAFE}"),
    ],
)
def test_tls_says_that_certificate_and_name_are_verified(url: str, complete: str) -> None:
    assert checked_broker_url(url) == complete
    assert checked_broker_url(complete) == complete


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("rediss://:pa55@host/0?ssl_cert_reqs=none", "ssl_cert_reqs=none: whoever answers would be trusted"),
        ("rediss://:pa55@host/0?ssl_cert_reqs=optional", "ssl_cert_reqs=optional"),
        ("rediss://:pa55@host/0?ssl_check_hostname=false", "ssl_check_hostname=false"),
        ("rediss://:pa55@host/0?ssl_ca_cert=/ca.pem", "has ssl_ca_cert; known are ssl_ca_certs"),
        ("redis://:pa55@host/0?ssl_ca_certs=/ca.pem", "begins with redis://: rediss:// is TLS"),
    ],
)
def test_what_is_unsafe_is_refused_without_the_password(url: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked_broker_url(url)
    assert said in str(caught.value)
    assert "pa55" not in str(caught.value)


def test_every_process_gets_its_settings_checked() -> None:
    environment = {"PARETOFARM_DATABASE_URL": "postgresql://host/base"}
    with pytest.raises(ConfigError, match="ssl_cert_reqs"):
        Settings.from_environment({**environment, "PARETOFARM_BROKER_URL": "rediss://host/0?ssl_cert_reqs=none"})
    settings = Settings.from_environment({**environment, "PARETOFARM_BROKER_URL": "rediss://host/0"})
    assert settings.broker_url == f"rediss://host/0?{SAFE}"
