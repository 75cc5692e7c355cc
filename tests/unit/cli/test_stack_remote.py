"""Where the embedded servers may be reached from other machines: what is accepted, and what is written down."""

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from cli.stack.remote import Address, Remote, keep_password, remote_lines
from paretofarm.errors import ConfigError, StackError


def test_postgres_takes_the_port_and_the_broker_the_next_one() -> None:
    remote = Remote(Address.parse("192.0.2.7:5433"), "secret")
    assert remote.database_url == "postgresql+psycopg2://paretofarm_remote:secret@192.0.2.7:5433/paretofarm"
    assert remote.broker_url == "redis://:secret@192.0.2.7:5434/0"
    assert "secret" not in repr(remote)


def test_an_ipv6_address_keeps_its_brackets() -> None:
    address = Address.parse("[fd00::7]:5433")
    assert (address.host, address.at(address.broker_port)) == ("fd00::7", "[fd00::7]:5434")


@pytest.mark.parametrize(
    "text", ["", "host", "5433", ":5433", "host:", "host:0", "host:x", "host:70000", "a@b:1", "h:1/x"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="must be HOST:PORT"):
        Address.parse(text)


@pytest.mark.parametrize("text", ["0.0.0.0:5433", "[::]:5433", "*:5433"])
def test_an_address_that_nobody_could_connect_to_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="name the address of this machine"):
        Address.parse(text)


def test_the_broker_needs_a_port_too() -> None:
    with pytest.raises(ConfigError, match="the broker takes the next one"):
        Address.parse("host:65535")


def test_a_foreign_address_is_refused_before_anything_starts() -> None:
    with pytest.raises(StackError, match=r"^cannot listen on 192\.0\.2\.7:5433: "):
        Address("192.0.2.7", 5433).check_free()


def test_the_password_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    password = keep_password(tmp_path / "password")
    assert len(password) > 40
    assert keep_password(tmp_path / "password") == password
    assert stat.S_IMODE((tmp_path / "password").stat().st_mode) == 0o600
    assert keep_password(tmp_path / "another") != password


def test_the_other_machine_is_told_of_artifacts_that_it_reaches() -> None:
    remote = Remote(Address("192.0.2.7", 5433), "secret")
    assert "PARETOFARM_ARTIFACTS=s3://bucket/farm" in remote_lines(remote, "s3://bucket/farm")
    assert not any(line.startswith("PARETOFARM_ARTIFACTS") for line in remote_lines(remote, None))


def test_own_servers_do_not_listen_by_our_command(tmp_path: Path) -> None:
    urls = {"PARETOFARM_DATABASE_URL": "postgresql://nowhere/x", "PARETOFARM_BROKER_URL": "redis://nowhere/0"}
    result = CliRunner().invoke(main, ["up", "--listen", "127.0.0.1:5433"], env=urls)
    assert (result.exit_code, result.stderr) == (
        2,
        "paretofarm: --listen is for the embedded servers, and PARETOFARM_DATABASE_URL names others\n",
    )
