"""The ADB link against our phone, against our phone with authentication, and against AOSP's own daemon."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from device_link_contract import DeviceLinkContract, LinkMaker
from phone_processes import PhoneProcess, fetch_adbd, start_adbd, start_virtual_phone

from device_agents.link import open_link
from device_agents.link.keys import ensure_key_pair
from device_agents.virtual_phone.state import change_state
from paretofarm.errors import PhoneStorageFull, PhoneUnauthorized, Unavailable
from paretofarm.ports import DeviceLink, LinkState, RemoteJob


@pytest.fixture(scope="module")
def key_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ensure_key_pair(tmp_path_factory.mktemp("keys") / "adbkey")


@pytest.fixture
def make_link(key_path: Path) -> Iterator[LinkMaker]:
    links: list[DeviceLink] = []

    def make(address: str, key: Path = key_path) -> DeviceLink:
        links.append(open_link(address, key, authorization_wait_s=0.5))
        return links[-1]

    yield make
    for link in links:
        link.close()


def poll_or_none(link: DeviceLink, job: RemoteJob) -> int | None:
    try:
        return link.poll(job)
    except Unavailable:
        return None


def stopped(phone: PhoneProcess) -> Iterator[PhoneProcess]:
    yield phone
    phone.stop()


class TestVirtualPhone(DeviceLinkContract):
    @pytest.fixture(scope="class")
    @classmethod
    def phone(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhoneProcess]:
        # Spaces and quotes: the root folder is the user's choice.
        yield from stopped(start_virtual_phone(tmp_path_factory.mktemp("phone") / "it's a root"))

    @pytest.fixture
    def own_phone(self, tmp_path: Path) -> Iterator[PhoneProcess]:
        yield from stopped(start_virtual_phone(tmp_path / "phone", "--boot-seconds", "0.2"))

    def test_full_phone_refuses_before_anything_is_sent(
        self, own_phone: PhoneProcess, make_link: LinkMaker, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_bytes(os.urandom(2_000_000))
        change_state(tmp_path / "phone", storage_bytes=1_000_000)
        link = make_link(own_phone.address)
        with pytest.raises(PhoneStorageFull, match="2000000 bytes"):
            link.push(tmp_path / "file", "/data/local/tmp/file")
        change_state(tmp_path / "phone", storage_bytes=3_000_000)
        link.push(tmp_path / "file", "/data/local/tmp/file")

    def test_phone_that_fills_up_during_a_push_is_full(
        self, own_phone: PhoneProcess, make_link: LinkMaker, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_bytes(os.urandom(2_000_000))
        change_state(tmp_path / "phone", storage_bytes=1_000_000)
        optimist = tmp_path / "phone/system/bin/df"
        optimist.write_text("#!/bin/sh\necho /dev/virtual 9000000 0 9000000 0% /data\n")
        link = make_link(own_phone.address)
        with pytest.raises(PhoneStorageFull, match="No space left on device"):
            link.push(tmp_path / "file", "/data/local/tmp/file")
        assert list((tmp_path / "phone/data/local/tmp").iterdir()) == []

    def test_reboot_ends_jobs_and_comes_back(self, own_phone: PhoneProcess, make_link: LinkMaker) -> None:
        link = make_link(own_phone.address)
        job = link.start(["sleep", "300"], folder="/data/local/tmp/job")
        link.reboot()
        deadline = time.monotonic() + 10
        while poll_or_none(link, job) != 137:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def test_properties_name_the_simulated_phone(self, phone: PhoneProcess, make_link: LinkMaker) -> None:
        properties = make_link(phone.address).properties()
        expected = {"ro.serialno": "VIRTUAL0001", "ro.soc.model": "VIRTUAL", "ro.paretofarm.simulated": "1"}
        assert expected.items() <= properties.items()
        assert properties["sys.boot_completed"] == "1"


class TestVirtualPhoneWithAuthentication:
    """The whole contract is run on a phone that asks for a key over USB and through an adb server."""

    @pytest.fixture(scope="class")
    @classmethod
    def start(cls, key_path: Path) -> Callable[[Path], PhoneProcess]:
        return lambda root: start_virtual_phone(root, "--require-auth", f"{key_path}.pub")

    @pytest.fixture(scope="class")
    @classmethod
    def phone(
        cls, start: Callable[[Path], PhoneProcess], tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[PhoneProcess]:
        yield from stopped(start(tmp_path_factory.mktemp("phone")))

    def test_unknown_key_is_unauthorized(self, phone: PhoneProcess, tmp_path: Path) -> None:
        link = open_link(phone.address, tmp_path / "another-key", authorization_wait_s=0.5)
        with pytest.raises(PhoneUnauthorized, match="another-key"):
            link.connect()
        with pytest.raises(PhoneUnauthorized):
            link.run(["true"], timeout_s=5)
        assert link.state() == LinkState.UNAUTHORIZED
        link.close()

    def test_key_can_be_authorized_while_the_phone_runs(self, tmp_path: Path) -> None:
        first, second = (ensure_key_pair(tmp_path / name) for name in ("first", "second"))
        keys = tmp_path / "adb_keys"
        keys.write_text(Path(f"{first}.pub").read_text() + "\n")
        phone = start_virtual_phone(tmp_path / "phone", "--require-auth", str(keys))
        link = open_link(phone.address, second, authorization_wait_s=0.3)
        assert link.state() == LinkState.UNAUTHORIZED
        with keys.open("a") as file:
            file.write(Path(f"{second}.pub").read_text() + "\n")
        assert link.state() == LinkState.ONLINE
        link.close()
        phone.stop()


class TestAospDaemon(DeviceLinkContract):
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

    def test_silent_command_may_outlast_the_library(self, link: DeviceLink) -> None:
        """adb-shell ends a command that says nothing for 10 s."""
        assert link.run(["sleep", "10.3"], timeout_s=20).exit_code == 0
