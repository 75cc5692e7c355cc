"""A phone without shell v2 (before Android 7): exit codes come as a last line of output."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from device_agents.link import open_link
from device_agents.virtual_phone.phone import VirtualPhone
from paretofarm.errors import AdbTimeout
from paretofarm.ports import DeviceLink


@pytest.fixture
def link(tmp_path: Path) -> Iterator[DeviceLink]:
    with VirtualPhone(tmp_path / "phone", serial="OLD", features=["stat_v2"]) as phone:
        link = open_link(phone.address, tmp_path / "adbkey")
        yield link
        link.close()


def test_exit_code_is_read_and_outputs_are_one(link: DeviceLink) -> None:
    result = link.run(["sh", "-c", "echo out; echo err >&2; exit 7"], timeout_s=5)
    assert (result.exit_code, result.stdout, result.stderr) == (7, "out\nerr\n", "")


def test_output_without_a_last_newline_is_kept(link: DeviceLink) -> None:
    assert link.run(["printf", "x"], timeout_s=5).stdout == "x"


def test_files_jobs_and_timeouts_work(link: DeviceLink, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    link.push(tmp_path / "file", "/data/local/tmp/file")
    assert link.pull("/data/local/tmp/file") == b"content"
    job = link.start(["sleep", "300"], folder="/data/local/tmp/job")
    assert link.poll(job) is None
    link.kill(job)
    assert link.poll(job) == 137
    with pytest.raises(AdbTimeout):
        link.run(["sleep", "300"], timeout_s=0.3)
    assert link.properties()["ro.serialno"] == "OLD"
