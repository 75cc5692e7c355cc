"""A process that ends at every start ends `search start --wait`, with its own last words."""

import sys
from pathlib import Path

import pytest
from services import wait_until

from cli import local_farm
from cli.local_farm import Farm
from cli.own_servers import ProcessGroup
from cli.stack.service import ProcessSpec
from paretofarm.errors import StackError
from paretofarm.settings import Settings

CRASH = "import sys; print('starting'); sys.exit('no room for a network')"
KILLED = "import os; os.kill(os.getpid(), 9)"


def make_farm(folder: Path, code: str) -> Farm:
    group = ProcessGroup(folder)
    group.start([ProcessSpec("worker", (sys.executable, "-c", code))])
    return Farm(Settings("", "", "", folder), group, {}, ("virtual",))


def fell(farm: Farm, times: int) -> bool:
    (worker,) = farm.stack.services()
    return worker.quick_endings >= times and worker.pid is None


def test_a_worker_that_ends_at_every_start_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_farm, "ENDINGS_ENOUGH", 3)
    farm = make_farm(tmp_path, CRASH)
    try:
        wait_until(lambda: fell(farm, 2), what="the second ending")
        assert str(farm.trouble()).startswith("worker keeps ending (2 restarts, exit code 1): see ")
        wait_until(lambda: fell(farm, 3), what="the third ending")
        with pytest.raises(StackError) as caught:
            farm.trouble()
    finally:
        farm.stack.stop()
    log = tmp_path / "logs" / "worker.log"
    ended = "worker ends at every start (3 restarts, exit code 1)"
    assert str(caught.value) == f"{ended}: no room for a network: see {log}"


def test_a_worker_that_somebody_kills_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_farm, "ENDINGS_ENOUGH", 2)
    farm = make_farm(tmp_path, KILLED)
    try:
        wait_until(lambda: fell(farm, 2), what="the second ending")
        assert "keeps ending" in str(farm.trouble())
    finally:
        farm.stack.stop()
