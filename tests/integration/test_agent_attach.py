"""An agent that cannot attach its phone says so in one line and exits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from device_agents.virtual_phone.phone import VirtualPhone


def agent(address: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PARETOFARM_DATABASE_URL": f"postgresql+psycopg2://nobody@/none?host={folder}",
        "PARETOFARM_BROKER_URL": f"redis+socket://{folder}/none.sock",
        "PARETOFARM_DATA": str(folder / "data"),
    }
    command = [sys.executable, "-P", "-m", "cli", "agent", "--connect", address, "--key", str(folder / "adbkey")]
    return subprocess.run([*command, *options], capture_output=True, text=True, env=environment, timeout=60)


def only_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith("paretofarm:")]
    assert "Traceback" not in text
    assert len(lines) == 1, text
    return lines[0]


def test_a_wrong_port(tmp_path: Path) -> None:
    result = agent("127.0.0.1:1", tmp_path)
    assert result.returncode == 1
    assert "no phone answers at 127.0.0.1:1" in only_line(result.stderr)


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:99999"])
def test_an_address_that_is_none(address: str, tmp_path: Path) -> None:
    result = agent(address, tmp_path)
    assert result.returncode == 2
    assert f"paretofarm: Invalid value for '--connect': '{address}' is not HOST:PORT" in result.stderr


def test_a_virtual_phone_cannot_pass_for_a_handset(tmp_path: Path) -> None:
    with VirtualPhone(tmp_path / "root", serial="honest", port=0) as phone:
        result = agent(phone.address, tmp_path, "--device-class", "sm8550")
    assert result.returncode == 2
    assert "is a virtual phone: its device class must be virtual" in only_line(result.stderr)


def test_a_database_that_is_away(tmp_path: Path) -> None:
    with VirtualPhone(tmp_path / "root", serial="waiting", port=0) as phone:
        result = agent(phone.address, tmp_path)
    assert result.returncode == 1
    assert "the database" in only_line(result.stderr)
