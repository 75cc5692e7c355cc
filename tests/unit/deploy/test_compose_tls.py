"""compose.tls.yml: nobody is left who speaks plain text, and the authority's key stays with the service that signs."""

import pytest
from compose_config import merged

SERVICES = merged("compose.tls.yml")
CLIENTS = [name for name, service in SERVICES.items() if "farm" in (service.get("networks") or {})]
SERVERS = {"postgres", "broker"}
OTHERS = {"prometheus", "grafana"}  # talk to neither
TLS = "?sslmode=verify-full&sslrootcert=/tls/ca.pem"


@pytest.mark.parametrize("name", sorted(set(CLIENTS) - SERVERS - OTHERS))
def test_a_service_checks_who_answers(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert environment["PARETOFARM_DATABASE_URL"].endswith(TLS)
    assert environment["PARETOFARM_BROKER_URL"] == "rediss://broker:6379/0?ssl_ca_certs=/tls/ca.pem"
    assert {"type": "volume", "source": "tls", "target": "/tls", "read_only": True, "volume": {}} in SERVICES[name][
        "volumes"
    ]


@pytest.mark.parametrize("name", sorted(set(CLIENTS) - SERVERS - OTHERS))
def test_a_service_stays_who_it_is(name: str) -> None:
    plain = merged()[name]["environment"]["PARETOFARM_DATABASE_URL"]
    assert SERVICES[name]["environment"]["PARETOFARM_DATABASE_URL"] == plain + TLS


def test_the_broker_listens_encrypted_only_and_is_otherwise_the_same() -> None:
    plain, encrypted = merged()["broker"], SERVICES["broker"]
    added = encrypted["command"][len(plain["command"]) :]
    assert encrypted["command"][: len(plain["command"])] == plain["command"]
    options = dict(zip(added[::2], added[1::2], strict=True))
    assert (options["--port"], options["--tls-port"]) == ("0", "6379")
    assert encrypted["ports"] == plain["ports"]


def test_servers_start_when_their_certificate_is_there() -> None:
    for name in SERVERS:
        assert SERVICES[name]["depends_on"]["certificates"]["condition"] == "service_completed_successfully"


def test_the_authority_stays_with_the_service_that_signs() -> None:
    holders = [
        name
        for name, service in SERVICES.items()
        if any(volume.get("source") == "tls-authority" for volume in service.get("volumes", []))
    ]
    assert holders == ["certificates"]
    assert SERVICES["certificates"]["network_mode"] == "none"
