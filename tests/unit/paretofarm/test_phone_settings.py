"""How an agent looks after its phone, from the environment."""

import pytest

from paretofarm.errors import ConfigError
from paretofarm.phone_health import Recovery
from paretofarm.phone_settings import PhoneSettings


def test_without_any_the_ladder_is_what_every_host_can_do() -> None:
    settings = PhoneSettings.from_environment({})
    assert settings == PhoneSettings()
    assert settings.rules.ladder == (Recovery.KILL, Recovery.RECONNECT, Recovery.REBOOT)


def test_a_supervisor_and_a_switchable_port_are_rungs_of_their_own() -> None:
    environment = {
        "PARETOFARM_AGENT_SUPERVISED": "1",
        "PARETOFARM_PHONE_POWER_CYCLE": "uhubctl -a cycle -l '1-4 {serial}'",
    }
    settings = PhoneSettings.from_environment(environment)
    assert settings.rules.ladder == tuple(Recovery)
    argv = settings.power_cycle_argv(serial="S1", address="usb:S1")
    assert argv == ["uhubctl", "-a", "cycle", "-l", "1-4 S1"]


def test_times_and_the_band_can_be_set() -> None:
    environment = {"PARETOFARM_PHONE_SETTLE_SECONDS": "5", "PARETOFARM_PHONE_BAND": "0.2"}
    settings = PhoneSettings.from_environment(environment)
    assert (settings.rules.settle_s, settings.band) == (5.0, 0.2)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("PARETOFARM_PHONE_SETTLE_SECONDS", "soon", "PARETOFARM_PHONE_SETTLE_SECONDS is 'soon', not a number"),
        ("PARETOFARM_PHONE_CHECK_SECONDS", "0", "PARETOFARM_PHONE_CHECK_SECONDS is 0, must be more than 0"),
        ("PARETOFARM_PHONE_BAND", "inf", "PARETOFARM_PHONE_BAND is inf"),
        (
            "PARETOFARM_PHONE_POWER_CYCLE",
            "uhubctl '",
            'PARETOFARM_PHONE_POWER_CYCLE is "uhubctl \'": No closing quotation',
        ),
    ],
)
def test_what_cannot_be_used_is_named(name: str, value: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint.replace("(", r"\(")):
        PhoneSettings.from_environment({name: value})
