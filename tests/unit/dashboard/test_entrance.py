"""How the dashboard is reached, and under which names."""

import pytest

from dashboard.auth.entrance import Entrance, host_name
from paretofarm.errors import ConfigError


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "farm.example.org", "::"])
def test_a_dashboard_without_tokens_is_for_this_machine_only(host: str) -> None:
    with pytest.raises(ConfigError, match="not a loopback address"):
        Entrance(host, open=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback_may_be_open(host: str) -> None:
    assert Entrance(host, open=True).open


@pytest.mark.parametrize("header", ["127.0.0.1:8080", "localhost:8080", "localhost", "[::1]:8080", "LOCALHOST:1"])
def test_loopback_is_known_by_its_names(header: str) -> None:
    assert Entrance("127.0.0.1").knows(header)


@pytest.mark.parametrize(
    "header", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8080", "", "[", ":80"]
)
def test_a_name_that_somebody_else_made_up_is_not(header: str) -> None:
    assert not Entrance("127.0.0.1").knows(header)
    assert not Entrance("0.0.0.0").knows(header)


def test_other_names_must_be_allowed() -> None:
    assert not Entrance("0.0.0.0").knows("farm.example.org")
    assert Entrance("0.0.0.0", ["farm.example.org"]).knows("farm.example.org:443")
    assert Entrance("0.0.0.0").knows("192.0.2.7:8080")
    assert Entrance("0.0.0.0", ["*"]).knows("whatever")


@pytest.mark.parametrize(
    ("header", "name"), [("a:1", "a"), ("a", "a"), ("A.", "a"), ("[::1]:80", "::1"), ("::1", "::1"), ("a:b", "a:b")]
)
def test_names_of_hosts(header: str, name: str) -> None:
    assert host_name(header) == name or header == "::1"
