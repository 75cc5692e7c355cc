"""The texts by which phones are found."""

import pytest

from device_agents.link.address import (
    PortPath,
    ServerAddress,
    TcpAddress,
    UsbAddress,
    names_a_port,
    parse_address,
    parse_ports,
)
from device_agents.link.server_place import ServerPlace
from device_agents.link.server_reasons import is_absent, is_offline, missing_rule, refusal
from paretofarm.errors import ConfigError, PhoneOffline, PhoneUnauthorized


@pytest.mark.parametrize(
    "text, address",
    [
        ("192.0.2.7:5555", TcpAddress("192.0.2.7", 5555)),
        ("[fe80::1]:5555", TcpAddress("fe80::1", 5555)),
        ("usb:8A2X0MXYZ", UsbAddress(serial="8A2X0MXYZ")),
        ("usb:1-4.2", UsbAddress(ports=PortPath(1, (4, 2)))),
        ("usb:????????????", UsbAddress(serial="????????????")),
        ("server:8A2X0MXYZ", ServerAddress("8A2X0MXYZ")),
        ("server:192.0.2.7:5555", ServerAddress("192.0.2.7:5555")),
        ("server:usb:1-4", ServerAddress("usb:1-4")),
    ],
)
def test_each_form_is_read(text: str, address: object) -> None:
    assert parse_address(text) == address
    if not isinstance(address, TcpAddress):
        assert str(address) == text


@pytest.mark.parametrize("text", ["", "phone", "usb:", "server:", "usb:two words", "1.2.3.4:70000", "server:a\nb"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected host:port, usb:SERIAL"):
        parse_address(text)


def test_ports_are_written_as_the_kernel_does() -> None:
    assert parse_ports("3-1.4.2") == PortPath(3, (1, 4, 2))
    assert str(PortPath(3, (1, 4, 2))) == "3-1.4.2"
    assert parse_ports("8A2X-1") is None


def test_only_port_addresses_name_a_port() -> None:
    texts = ("usb:1-4", "server:usb:1-4", "usb:ABC", "server:ABC", "127.0.0.1:5555")
    assert [names_a_port(text) for text in texts] == [True, True, False, False, False]


def test_server_is_found_as_google_adb_finds_it() -> None:
    assert ServerPlace.of_environment({}) == ServerPlace("127.0.0.1", 5037)
    place = ServerPlace("host.docker.internal", 5038)
    assert ServerPlace.of_environment(place.environment()) == place
    assert ServerPlace.parse("host.docker.internal:5038") == place
    with pytest.raises(ConfigError, match="ANDROID_ADB_SERVER_PORT: 'x' is not a port"):
        ServerPlace.of_environment({"ANDROID_ADB_SERVER_PORT": "x"})
    with pytest.raises(ConfigError, match="'5037' is not HOST:PORT"):
        ServerPlace.parse("5037")


# Captured from Google's adb server, versions 1.0.41 (36) and 1.0.41 (29).
UNAUTHORIZED = (
    "device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set\nTry 'adb kill-server' if that seems wrong.\n"
    "Otherwise check for a confirmation dialog on your device."
)


@pytest.mark.parametrize(
    "reason, kind, said",
    [
        (UNAUTHORIZED, PhoneUnauthorized, "unlock the phone and tap “Always allow from this computer”"),
        ("device still authorizing", PhoneUnauthorized, "tap"),
        ("device offline", PhoneOffline, "device offline"),
        ("device 'ABC' not found", PhoneOffline, "device 'ABC' not found"),
        ("more than one device", ConfigError, "server:usb:BUS-PORT"),
        ("insufficient permissions for device: missing udev rules?", PhoneOffline, "51-android.rules"),
        ("closed", PhoneOffline, "closed"),
        ("", PhoneOffline, "no reason given"),
    ],
)
def test_refusals_say_what_to_do(reason: str, kind: type[Exception], said: str) -> None:
    error = refusal("server:ABC", reason)
    assert type(error) is kind
    assert "server:ABC" in str(error) and said in str(error) and "\n" not in str(error)


def test_offline_and_absent_are_told_apart() -> None:
    assert (is_offline("device offline"), is_absent("device offline")) == (True, False)
    assert (is_offline("device 'ABC' not found"), is_absent("device 'ABC' not found")) == (False, True)


def test_missing_rule_is_a_line_to_copy() -> None:
    line = 'SUBSYSTEM=="usb", ATTR{idVendor}=="04e8", MODE="0660", GROUP="plugdev", TAG+="uaccess"'
    assert f"put the line {line} into /etc/udev/rules.d/51-android.rules" in missing_rule("04e8")
