"""docker-compose.yml as data, for the tests that ask whether every service keeps the rules."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
OVERRIDES = sorted(path.name for path in ROOT.glob("compose.*.yml"))

Service = dict[str, Any]


def compose(name: str = "docker-compose.yml") -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return document


def services() -> dict[str, Service]:
    found: dict[str, Service] = compose()["services"]
    return found


def profiles() -> list[str]:
    return sorted({profile for service in services().values() for profile in service.get("profiles", [])})
