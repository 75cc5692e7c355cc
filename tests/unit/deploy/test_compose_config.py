"""Docker's own programs accept the files: compose for every profile and override, hadolint for the Dockerfile."""

import sys
from pathlib import Path

import pytest
from compose_config import COMPOSE, merged, run
from compose_file import OVERRIDES, profiles

HOSTS = "PARETOFARM_DASHBOARD_HOSTS"


@pytest.mark.parametrize("profile", [None, *profiles(), "*"])
def test_every_profile_is_valid(profile: str | None) -> None:
    chosen = ("--profile", profile) if profile else ()
    assert run(COMPOSE, "--file", "docker-compose.yml", *chosen, "config", "--quiet") == ("", "")


@pytest.mark.parametrize("overrides", [*((name,) for name in OVERRIDES), tuple(OVERRIDES)], ids="+".join)
def test_every_override_is_valid_alone_and_with_all_others(overrides: tuple[str, ...]) -> None:
    files = [option for file in ("docker-compose.yml", *overrides) for option in ("--file", file)]
    assert run(COMPOSE, *files, "--profile", "*", "config", "--quiet") == ("", "")


def test_hadolint_finds_nothing() -> None:
    beside_python = Path(sys.executable).with_name("hadolint")
    run(beside_python if beside_python.exists() else "hadolint", "Dockerfile")


@pytest.mark.parametrize(
    ("asked_for", "names"), [({}, []), ({HOSTS: "farm.example lab.example"}, ["farm.example", "lab.example"])]
)
def test_the_dashboard_answers_to_its_services_name_whoever_else_is_named(
    asked_for: dict[str, str], names: list[str]
) -> None:
    """Prometheus asks by that name, and a strange `Host:` is refused."""
    given = merged(environment=asked_for)["dashboard"]["environment"][HOSTS]
    assert given.split() == ["dashboard", *names]
