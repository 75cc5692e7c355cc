"""The demo, as README.md says that it is started: the whole of examples/faces_demo.yaml, data set included."""

import time

from farm import CheckFailed, Farm, check, say, wait
from ledger import check_search
from logs import check_logs
from page import check_page

SEARCH, CANDIDATES, EPOCHS = "faces-demo", 24, 3
TIMEOUT_S = 1800.0


def check_demo(farm: Farm, seed: int) -> None:
    started = time.monotonic()
    farm.compose("up", "--detach", timeout_s=900.0)
    wait(lambda: _is_started(farm), "a first candidate")
    say(f"cold up to first candidate running, data set included: {time.monotonic() - started:.0f} s")
    wait(lambda: _state(farm)["Status"] == "exited", "the end of the demo", TIMEOUT_S)
    check(_state(farm)["ExitCode"] == 0, f"the demo ended well after {time.monotonic() - started:.0f} s")
    check_search(farm, SEARCH, CANDIDATES, EPOCHS)
    printed, front = farm.compose("logs", "--no-log-prefix", "demo"), farm.cli("front", SEARCH)
    check(_rows(front) != [] and _rows(front)[-1] in printed, "the front that the demo printed is the database's")
    check_page(farm, SEARCH)
    check_logs(farm)
    say(f"docker compose run --rm cli front {SEARCH}\n{front}")


def _is_started(farm: Farm) -> bool:
    try:
        return farm.sql("SELECT 1 FROM evaluations WHERE started_at IS NOT NULL LIMIT 1") != []
    except CheckFailed:  # there is no table yet
        return False


def _state(farm: Farm) -> dict[str, object]:
    containers = farm.containers("demo", all=True)
    check_state: object = farm.inspect(containers)[0]["State"]
    assert isinstance(check_state, dict)
    return check_state


def _rows(table: str) -> list[str]:
    return [line.strip() for line in table.splitlines() if line.strip()[:1].isdigit()]
