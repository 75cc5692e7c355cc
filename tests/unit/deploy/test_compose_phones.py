"""The profile `phones` and compose.usb.yml: how an agent in a container is told where its phones are."""

from collections.abc import Mapping
from typing import Any

import pytest
from compose_config import merged

KEY = ["--key", "/var/lib/paretofarm/adb/adbkey"]
USB = "compose.usb.yml"


def agent(*overrides: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    service: dict[str, Any] = merged(*overrides, environment=environment)["agent"]
    return service


def test_by_default_it_takes_every_phone_of_the_hosts_adb_server() -> None:
    service = agent()
    assert service["command"] == ["agent", *KEY, "--adb-server", "host.docker.internal:5037"]
    assert service["extra_hosts"] == ["host.docker.internal=host-gateway"]


def test_another_adb_server_can_be_named() -> None:
    service = agent(environment={"PARETOFARM_ADB_SERVER": "10.0.0.7:5038"})
    assert service["command"] == ["agent", *KEY, "--adb-server", "10.0.0.7:5038"]


@pytest.mark.parametrize("address", ["192.0.2.7:5555", "server:R5CT1234567", "usb:1-4.2"])
def test_one_phone_can_be_named(address: str) -> None:
    assert agent(environment={"PARETOFARM_PHONE": address})["command"][-2:] == ["--connect", address]


def test_the_agent_of_the_demo_is_not_changed_by_a_phone_that_is_named() -> None:
    demo = merged(environment={"PARETOFARM_PHONE": "192.0.2.7:5555"})["demo-agent"]
    assert demo["command"][:3] == ["agent", "--connect", "phone:5555"]


def test_usb_is_an_override_that_gives_usb_devices_and_nothing_else() -> None:
    service = agent(USB)
    assert service["device_cgroup_rules"] == ["c 189:* rmw"]
    mounts = {
        volume["source"]: volume.get("read_only", False) for volume in service["volumes"] if volume["type"] == "bind"
    }
    assert mounts == {"/dev/bus/usb": False, "/run/udev": True}
    assert "46" in service["group_add"]
    assert service["command"] == ["agent", *KEY]
    assert (service["cap_drop"], service.get("privileged")) == (["ALL"], None)


def test_without_the_override_no_device_is_given() -> None:
    for service in merged().values():
        assert not {"devices", "device_cgroup_rules"} & service.keys()


def test_the_group_that_may_write_to_usb_devices_can_be_named() -> None:
    assert "85" in agent(USB, environment={"PARETOFARM_USB_GROUP": "85"})["group_add"]
