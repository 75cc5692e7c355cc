"""The profile `observability`: Prometheus reaches every process of every container, also of those added later.

Not Grafana, which is in no package registry: its dashboards are checked as files (tests/unit/deploy).
"""

import json
from collections import Counter
from functools import partial
from typing import Any
from urllib.parse import quote

from farm import ALWAYS_ON, DEMO, CheckFailed, Farm, say, timed, wait
from page import get
from walls import check_walls

WATCHERS = ("exporter", "prometheus")
SCRAPED = {"exporter": 1, "scheduler": 1, "dashboard": 1, "worker": 2, "agent": 1, "prometheus": 1}
"""Processes by Prometheus' job; worker and trainer are of one."""
TOLD = {
    "paretofarm_database_up": "1",
    "paretofarm_broker_up": "1",
    "sum(paretofarm_scheduler_leading)": "1",
    'sum(paretofarm_workers{kind="worker", state="idle"})': "4",
    'sum(paretofarm_phones{device="virtual", state="ready"})': "1",
}
"""By query, when nothing is to be done and trainers are three."""
NOTICE_S = 120.0


def check_observability(farm: Farm, seed: int) -> None:
    timed("up", lambda: farm.up(*ALWAYS_ON, *DEMO, *WATCHERS))
    check_walls(farm)
    _check_scraped(farm, SCRAPED)
    farm.up("--no-recreate", "--scale", "trainer=3", "trainer")
    _check_scraped(farm, {**SCRAPED, "worker": 4})
    _check_what_is_told(farm)


def _check_scraped(farm: Farm, expected: dict[str, int]) -> None:
    wait(lambda: _answering(farm) == expected, f"Prometheus to reach {expected}", NOTICE_S)
    say(f"ok: Prometheus reaches {sum(expected.values())} processes: {expected}")


def _answering(farm: Farm) -> dict[str, int]:
    return dict(Counter(sample["metric"]["job"] for sample in _ask(farm, "up == 1")))


def _check_what_is_told(farm: Farm) -> None:
    for query, value in TOLD.items():
        wait(partial(_says, farm, query, value), f"{query} to be {value}", NOTICE_S)
        say(f"ok: {query} is {value}")


def _says(farm: Farm, query: str, value: str) -> bool:
    return [sample["value"][1] for sample in _ask(farm, query)] == [value]


def _ask(farm: Farm, query: str) -> list[dict[str, Any]]:
    """Samples of now."""
    address = farm.compose("port", "prometheus", "9090").strip()
    status, text = get(f"http://{address}/api/v1/query?query={quote(query)}")
    if status != 200:
        raise CheckFailed(f"Prometheus says {status} to {query}: {text}")
    samples: list[dict[str, Any]] = json.loads(text)["data"]["result"]
    return samples
