"""Google's own adb (version 36, from the adbutils wheel) must be content with the virtual phone."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from phone_processes import PhoneProcess, clean_environment, free_port, google_adb, start_virtual_phone

from device_agents.link.keys import ensure_key_pair

TIMEOUT_S = 60


@dataclass(frozen=True)
class GoogleAdb:
    """adb with a server and a home of its own."""

    environment: dict[str, str]

    def __call__(self, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [str(google_adb()), *words], env=self.environment, input=stdin, capture_output=True, timeout=TIMEOUT_S
        )

    def checked(self, *words: str) -> str:
        done = self(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.decode()


@pytest.fixture(scope="module")
def key_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ensure_key_pair(tmp_path_factory.mktemp("keys") / "adbkey")


@pytest.fixture(scope="module")
def adb(tmp_path_factory: pytest.TempPathFactory, key_path: Path) -> Iterator[GoogleAdb]:
    home = tmp_path_factory.mktemp("home")
    client = GoogleAdb(clean_environment(home, free_port(), [key_path]))
    yield client
    client("kill-server")


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhoneProcess]:
    phone = start_virtual_phone(tmp_path_factory.mktemp("phone"), serial="FIRST")
    yield phone
    phone.stop()


@pytest.fixture(scope="module")
def connected(adb: GoogleAdb, phone: PhoneProcess) -> list[str]:
    """The words that name the connected phone to adb."""
    assert "connected to" in adb.checked("connect", phone.address)
    return ["-s", phone.address]


def test_shell_has_exit_code_and_both_outputs(adb: GoogleAdb, connected: list[str]) -> None:
    done = adb(*connected, "shell", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\n", b"err\n")


def test_shell_reads_stdin_to_its_end(adb: GoogleAdb, connected: list[str]) -> None:
    content = os.urandom(3_000_000)
    done = adb(*connected, "shell", "sha256sum", stdin=content)
    assert done.stdout.split()[0].decode() == hashlib.sha256(content).hexdigest()


def test_shell_without_a_command_is_a_shell(adb: GoogleAdb, connected: list[str]) -> None:
    done = adb(*connected, "shell", stdin=b"cd /data/local/tmp\npwd\nexit 4\n")
    assert (done.returncode, done.stdout.replace(b"\r", b"")) == (4, b"/data/local/tmp\n")


def test_thirty_megabytes_go_and_come_back(adb: GoogleAdb, connected: list[str], tmp_path: Path) -> None:
    content = os.urandom(30_000_000)
    (tmp_path / "there").write_bytes(content)
    adb.checked(*connected, "push", str(tmp_path / "there"), "/data/local/tmp/new folder/file")
    adb.checked(*connected, "pull", "/data/local/tmp/new folder/file", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == content
    digest = adb.checked(*connected, "shell", "sha256sum '/data/local/tmp/new folder/file'").split()[0]
    assert digest == hashlib.sha256(content).hexdigest()


def test_folders_go_and_come_back(adb: GoogleAdb, connected: list[str], tmp_path: Path) -> None:
    source = tmp_path / "tree"
    for name in ("a", "deep/er/b", "deep/c"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    adb.checked(*connected, "push", str(source), "/sdcard/tree")
    adb.checked(*connected, "pull", "/sdcard/tree", str(tmp_path / "back"))
    assert {str(path.relative_to(tmp_path / "back")) for path in (tmp_path / "back").rglob("*") if path.is_file()} == {
        "a",
        "deep/er/b",
        "deep/c",
    }


def test_features_are_those_of_the_banner(adb: GoogleAdb, connected: list[str]) -> None:
    assert {"shell_v2", "stat_v2", "ls_v2", "sendrecv_v2"} <= set(adb.checked(*connected, "features").split())
    assert "cmd" not in adb.checked(*connected, "features").split()


def test_ls_lists_files_with_sizes(adb: GoogleAdb, connected: list[str], tmp_path: Path) -> None:
    (tmp_path / "listed").write_bytes(b"12345")
    adb.checked(*connected, "push", str(tmp_path / "listed"), "/data/local/tmp/folder/listed")
    lines = [line.split() for line in adb.checked(*connected, "ls", "/data/local/tmp/folder").splitlines()]
    assert [(int(words[1], 16), words[3]) for words in lines if words[3] == "listed"] == [(5, "listed")]


def test_missing_file_is_an_error(adb: GoogleAdb, connected: list[str], tmp_path: Path) -> None:
    done = adb(*connected, "pull", "/data/absent", str(tmp_path / "x"))
    assert done.returncode == 1 and b"No such file" in done.stderr


def test_refused_push_is_an_error(adb: GoogleAdb, connected: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    adb.checked(*connected, "shell", "echo x >/data/local/tmp/plain")
    done = adb(*connected, "push", str(tmp_path / "file"), "/data/local/tmp/plain/x")
    assert done.returncode == 1 and b"Not a directory" in done.stderr


def test_exec_out_is_raw(adb: GoogleAdb, connected: list[str]) -> None:
    assert adb(*connected, "exec-out", "printf 'a\\r\\nb\\0'").stdout == b"a\r\nb\0"


def test_two_phones_at_once(adb: GoogleAdb, connected: list[str], tmp_path: Path) -> None:
    second = start_virtual_phone(tmp_path / "phone", serial="SECOND")
    try:
        adb.checked("connect", second.address)
        names = [
            adb.checked(*words, "shell", "getprop ro.serialno").strip() for words in (connected, ["-s", second.address])
        ]
        assert names == ["FIRST", "SECOND"]
        adb.checked(*connected, "shell", "touch /data/local/tmp/only-here")
        assert adb("-s", second.address, "shell", "ls /data/local/tmp/only-here").returncode != 0
        adb("disconnect", second.address)
    finally:
        second.stop()


def test_authorized_key_gets_in(adb: GoogleAdb, key_path: Path, tmp_path: Path) -> None:
    phone = start_virtual_phone(tmp_path / "phone", "--require-auth", f"{key_path}.pub")
    try:
        adb.checked("connect", phone.address)
        assert adb.checked("-s", phone.address, "shell", "echo in") == "in\n"
        adb("disconnect", phone.address)
    finally:
        phone.stop()


def test_unknown_key_stays_out(adb: GoogleAdb, tmp_path: Path) -> None:
    other = ensure_key_pair(tmp_path / "other")
    phone = start_virtual_phone(tmp_path / "phone", "--require-auth", f"{other}.pub")
    try:
        assert "failed to authenticate" in adb("connect", phone.address).stdout.decode()
        done = adb("-s", phone.address, "shell", "echo in")
        assert done.returncode != 0 and b"in\n" not in done.stdout
        adb("disconnect", phone.address)
    finally:
        phone.stop()
