"""Inputs on a phone: pushed once, unpacked for each batch, forgotten when the phone needs the room."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from device_runtime_contract import RecordingLink

from device_agents.link import open_link
from device_agents.runtimes import kept_inputs
from device_agents.runtimes.kept_inputs import input_name, put_inputs
from device_agents.virtual_phone.phone import VirtualPhone
from paretofarm.ports import DeviceLink
from paretofarm.score_batches import CHUNK

HOME = "/data/local/tmp/paretofarm"
INPUTS = [bytes([number]) * 1000 for number in range(2 * CHUNK + 1)]


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviceLink]:
    folder = tmp_path_factory.mktemp("phone")
    with VirtualPhone(folder / "root", serial="inputs", port=0) as virtual:
        link = open_link(virtual.address, folder / "adbkey")
        yield link
        link.close()


@pytest.fixture
def link(phone: DeviceLink) -> RecordingLink:
    phone.run(["rm", "-rf", HOME], timeout_s=10)
    return RecordingLink(phone)


def kept(link: RecordingLink) -> list[str]:
    return [Path(name).name for name in link.run(["ls", f"{HOME}/inputs"], timeout_s=10).stdout.split()]


def test_every_input_is_a_file_of_its_own(link: RecordingLink) -> None:
    names = put_inputs(link, INPUTS, f"{HOME}/job", home=HOME)
    assert names == [input_name(number) for number in range(len(INPUTS))]
    assert [link.pull(f"{HOME}/job/{name}") for name in names] == INPUTS


def test_another_batch_of_the_same_inputs_needs_no_push(link: RecordingLink) -> None:
    put_inputs(link, INPUTS, f"{HOME}/one", home=HOME)
    assert len(link.pushed) == 3
    names = put_inputs(link, INPUTS[CHUNK:], f"{HOME}/two", home=HOME)
    assert len(link.pushed) == 3
    assert [link.pull(f"{HOME}/two/{name}") for name in names] == INPUTS[CHUNK:]


def test_beyond_the_quota_those_not_used_for_longest_go(link: RecordingLink, monkeypatch: pytest.MonkeyPatch) -> None:
    put_inputs(link, INPUTS[:CHUNK], f"{HOME}/one", home=HOME)
    (oldest,) = kept(link)
    link.run(["touch", "-d", "2020-01-01 00:00:00", f"{HOME}/inputs/{oldest}"], timeout_s=10)
    put_inputs(link, INPUTS[CHUNK : 2 * CHUNK], f"{HOME}/two", home=HOME)
    monkeypatch.setattr(kept_inputs, "QUOTA_BYTES", 2 * 10240)
    put_inputs(link, [b"new"] * CHUNK, f"{HOME}/three", home=HOME)
    assert len(kept(link)) == 3 - 1
    assert oldest not in kept(link)


def test_an_archive_that_was_cut_short_is_pushed_anew(link: RecordingLink) -> None:
    put_inputs(link, INPUTS[:1], f"{HOME}/one", home=HOME)
    (name,) = kept(link)
    link.run(
        ["sh", "-c", f"head -c 700 {HOME}/inputs/{name} > {HOME}/x && mv {HOME}/x {HOME}/inputs/{name}"], timeout_s=10
    )
    (file,) = put_inputs(link, INPUTS[:1], f"{HOME}/two", home=HOME)
    assert link.pull(f"{HOME}/two/{file}") == INPUTS[0]
