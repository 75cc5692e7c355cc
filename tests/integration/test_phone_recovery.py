"""Steps of the recovery ladder that need a command of the operator's."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from device_agents.link import open_link
from device_agents.phone import Phone
from device_agents.recovery import Recoverer
from device_agents.virtual_phone.phone import VirtualPhone
from paretofarm.phone_health import Recovery


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Phone]:
    with VirtualPhone(tmp_path / "root", serial="R1", port=0) as virtual:
        phone = Phone(open_link(virtual.address, tmp_path / "adbkey"))
        yield phone
        phone.link.close()


def test_power_is_cycled_by_the_operators_command(phone: Phone, tmp_path: Path) -> None:
    told = tmp_path / "told"
    argv = [sys.executable, "-c", f"import sys; open({str(told)!r}, 'w').write(sys.argv[1])", "port 1-4"]
    assert Recoverer(phone, power_cycle=argv).take(Recovery.POWER_CYCLE) is None
    assert told.read_text() == "port 1-4"


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        ([sys.executable, "-c", "import sys; sys.exit('no such hub')"], "ended with 1: no such hub"),
        (["uhubctl-that-is-not-there"], "uhubctl-that-is-not-there: "),
    ],
)
def test_a_command_that_fails_is_reported_and_survived(phone: Phone, argv: list[str], complaint: str) -> None:
    failure = Recoverer(phone, power_cycle=argv).take(Recovery.POWER_CYCLE)
    assert failure is not None
    assert complaint in failure


def test_a_step_that_cannot_be_taken_says_why(phone: Phone, tmp_path: Path) -> None:
    gone = Recoverer(Phone(open_link("127.0.0.1:1", tmp_path / "adbkey")))
    assert "does not answer" in (gone.take(Recovery.REBOOT) or "")
    assert not gone.new_process
    assert gone.take(Recovery.NEW_PROCESS) is None
    assert gone.new_process
