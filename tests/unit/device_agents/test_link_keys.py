"""The key pair that this computer shows to phones."""

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from device_agents.link import open_link
from device_agents.link.keys import ensure_key_pair, parse_public_key_line, public_key_path
from device_agents.virtual_phone.authorization import AuthorizedKeys
from paretofarm.errors import ConfigError


def test_pair_is_made_once_and_private(tmp_path: Path) -> None:
    path = ensure_key_pair(tmp_path / "new/folder/adbkey")
    content = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ensure_key_pair(path).read_bytes() == content
    assert sorted(p.name for p in path.parent.iterdir()) == ["adbkey", "adbkey.pub"]


def test_home_folder_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert ensure_key_pair(Path("~/.paretofarm/adbkey")) == tmp_path / ".paretofarm/adbkey"


def test_agents_that_start_together_share_one_pair(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: ensure_key_pair(tmp_path / "adbkey"), range(4)))
    token = os.urandom(20)
    assert AuthorizedKeys([tmp_path / "adbkey.pub"]).accept(token, signature(tmp_path / "adbkey", token))


def test_public_key_is_in_androids_format(tmp_path: Path) -> None:
    """`android_pubkey.c`: 524 bytes, with -1/n[0] mod 2^32 and R^2 mod n worked out beforehand."""
    path = ensure_key_pair(tmp_path / "adbkey")
    line = public_key_path(path).read_text()
    packed = base64.b64decode(line.split()[0])
    modulus = int.from_bytes(packed[8:264], "little")
    assert len(packed) == 524 and "@" in line.split()[1]
    assert int.from_bytes(packed[4:8], "little") * modulus % (1 << 32) == (1 << 32) - 1
    assert int.from_bytes(packed[264:520], "little") == pow(2, 4096, modulus)
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert parse_public_key_line(line).public_numbers() == key.public_key().public_numbers()


@pytest.mark.parametrize("line", ["", "not base64!", "QUJD", base64.b64encode(bytes(524)).decode()])
def test_other_lines_are_refused(line: str) -> None:
    with pytest.raises(ConfigError):
        parse_public_key_line(line)


def test_only_authorized_signatures_are_accepted(tmp_path: Path) -> None:
    mine, other = ensure_key_pair(tmp_path / "mine"), ensure_key_pair(tmp_path / "other")
    keys = AuthorizedKeys([public_key_path(mine)])
    token = os.urandom(20)
    assert keys.accept(token, signature(mine, token))
    assert not keys.accept(token, signature(other, token))
    assert not keys.accept(os.urandom(20), signature(mine, token))
    assert not keys.accept(token, b"")


def test_damaged_private_key_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "adbkey").write_text("not a key")
    with pytest.raises(ConfigError, match="adbkey"):
        ensure_key_pair(tmp_path / "adbkey")


def test_missing_authorized_keys_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.pub"):
        AuthorizedKeys([tmp_path / "absent.pub"]).check()


@pytest.mark.parametrize("address", ["", "phone", "phone:", ":5555", "phone:port", "phone:0", "phone:70000"])
def test_address_must_be_host_and_port(address: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="host:port"):
        open_link(address, tmp_path / "adbkey")


def signature(path: Path, token: bytes) -> bytes:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    return key.sign(token, padding.PKCS1v15(), Prehashed(hashes.SHA1()))
