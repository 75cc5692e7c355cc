"""An agent that ends for its phone's sake is started anew by its supervisor, and goes on where it ended itself."""

import os
import subprocess
import sys
from pathlib import Path

from phone_lab import STEADY
from services import wait_until

from db.phone_work import past_steps
from db.phones import PhoneState, list_phones
from db.session import Database
from device_agents.virtual_phone.firmware import install_firmware
from device_agents.virtual_phone.phone import VirtualPhone
from device_agents.virtual_phone.state import change_state
from paretofarm.phone_health import Recovery


def agent(address: str, folder: Path, database_url: str, broker_url: str) -> "subprocess.Popen[str]":
    environment = {
        **os.environ,
        "PARETOFARM_DATABASE_URL": database_url,
        "PARETOFARM_BROKER_URL": broker_url,
        "PARETOFARM_DATA": str(folder / "data"),
        "PARETOFARM_AGENT_SUPERVISED": "1",
        "PARETOFARM_PHONE_RETRY_SECONDS": "0.1",
        "PARETOFARM_PHONE_SETTLE_SECONDS": "0.5",
    }
    command = [sys.executable, "-P", "-m", "cli", "agent", "--connect", address, "--key", str(folder / "adbkey")]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def test_a_phone_that_nothing_else_helps_is_rebooted_by_the_next_process(
    database: Database, database_url: str, broker_url: str, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    install_firmware(root, "STUCK")
    change_state(root, runner={"": "refuse: Transport layer setup failed: 14001"}, after_reboot={"runner": STEADY})
    with VirtualPhone(root, serial="STUCK", port=0, boot_s=0.1) as phone:
        first = agent(phone.address, tmp_path, database_url, broker_url)
        _, said = first.communicate(timeout=60)
        assert first.returncode == 1
        assert "STUCK: the agent ends for its phone's sake, to be started anew" in said.splitlines()[-1]
        second = agent(phone.address, tmp_path, database_url, broker_url)
        try:
            wait_until(lambda: steps(database)[-1] is Recovery.REBOOT, 60, "the reboot")
            wait_until(lambda: is_ready(database), 60, "the phone to recover")
        finally:
            second.terminate()
            second.communicate(timeout=30)
    assert steps(database) == [Recovery.KILL, Recovery.RECONNECT, Recovery.NEW_PROCESS, Recovery.REBOOT]


def steps(database: Database) -> list[Recovery]:
    with database.transaction() as session:
        [known] = list_phones(session)
        return [each.step for each in past_steps(session, known.id, within_s=600)]


def is_ready(database: Database) -> bool:
    with database.transaction() as session:
        [known] = list_phones(session)
    return known.state is PhoneState.READY
