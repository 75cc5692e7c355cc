"""The ADB link through Google's own adb server: to our phone, to one that asks for a key, and to AOSP's daemon."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from adb_server_process import AdbServer, running_adb_server
from device_link_contract import DeviceLinkContract, LinkMaker
from phone_processes import PhoneProcess, fetch_adbd, free_port, start_adbd, start_virtual_phone

from device_agents.link import open_link
from device_agents.link.keys import ensure_key_pair
from device_agents.link.server_place import ServerPlace
from paretofarm.errors import PhoneOffline, PhoneUnauthorized
from paretofarm.ports import DeviceLink, LinkState

PREFIX = "server:"


@pytest.fixture(scope="module")
def key_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ensure_key_pair(tmp_path_factory.mktemp("keys") / "adbkey")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, key_path: Path) -> Iterator[AdbServer]:
    with running_adb_server(tmp_path_factory.mktemp("server") / "home", [key_path]) as server:
        yield server


@pytest.fixture
def make_link(server: AdbServer, key_path: Path) -> Iterator[LinkMaker]:
    links: list[DeviceLink] = []

    def make(address: str) -> DeviceLink:
        device = address.removeprefix(PREFIX)
        server.connect(device)
        links.append(open_link(f"{PREFIX}{device}", key_path, server=server.place))
        return links[-1]

    yield make
    for link in links:
        link.close()
        server.disconnect(link.serial.removeprefix(PREFIX))


def stopped(phone: PhoneProcess) -> Iterator[PhoneProcess]:
    yield phone
    phone.stop()


class TestVirtualPhoneThroughServer(DeviceLinkContract):
    @pytest.fixture(scope="class")
    @classmethod
    def phone(cls, key_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhoneProcess]:
        root = tmp_path_factory.mktemp("phone")
        yield from stopped(start_virtual_phone(root, "--require-auth", f"{key_path}.pub"))

    @pytest.fixture
    def own_phone(self, tmp_path: Path) -> Iterator[PhoneProcess]:
        yield from stopped(start_virtual_phone(tmp_path / "phone"))

    def test_unknown_key_is_unauthorized(self, make_link: LinkMaker, tmp_path: Path) -> None:
        other = ensure_key_pair(tmp_path / "another-key")
        phone = start_virtual_phone(tmp_path / "strict", "--require-auth", f"{other}.pub")
        link = make_link(phone.address)
        with pytest.raises(PhoneUnauthorized, match="Always allow"):
            link.run(["true"], timeout_s=5)
        assert link.state() == LinkState.UNAUTHORIZED
        phone.stop()

    def test_phone_that_was_disconnected_on_purpose_stays_so(
        self, own_phone: PhoneProcess, make_link: LinkMaker, server: AdbServer
    ) -> None:
        link = make_link(own_phone.address)
        link.connect()
        server.disconnect(own_phone.address)
        with pytest.raises(PhoneOffline, match="not found"):
            link.run(["true"], timeout_s=5)
        assert link.state() == LinkState.ABSENT
        server.connect(own_phone.address)
        assert link.run(["echo", "back"], timeout_s=5).stdout == "back\n"


class TestAospDaemonThroughServer(DeviceLinkContract):
    @pytest.fixture(scope="class")
    @classmethod
    def daemon(cls) -> Path:
        return fetch_adbd()

    @pytest.fixture(scope="class")
    @classmethod
    def phone(cls, daemon: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhoneProcess]:
        yield from stopped(start_adbd(daemon, tmp_path_factory.mktemp("phone")))

    @pytest.fixture
    def own_phone(self, daemon: Path, tmp_path: Path) -> Iterator[PhoneProcess]:
        yield from stopped(start_adbd(daemon, tmp_path))


def test_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    place = ServerPlace(port=free_port())
    link = open_link("server:ABC", tmp_path / "adbkey", server=place)
    started = time.monotonic()
    with pytest.raises(PhoneOffline, match=rf"no adb server answers at 127\.0\.0\.1:{place.port}: `adb start-server`"):
        link.connect()
    assert time.monotonic() - started < 1
    assert link.state() == LinkState.ABSENT


def test_server_that_was_killed_is_used_again(tmp_path: Path) -> None:
    phone = start_virtual_phone(tmp_path / "phone")
    with running_adb_server(tmp_path / "home") as server:
        server.connect(phone.address)
        link = open_link(f"{PREFIX}{phone.address}", server=server.place)
        link.connect()
        server.stop()
        with pytest.raises(PhoneOffline, match="no adb server"):
            link.run(["true"], timeout_s=5)
        server.start()
        server.connect(phone.address)
        assert link.run(["echo", "back"], timeout_s=5).stdout == "back\n"
    phone.stop()
