"""Every service of docker-compose.yml is unprivileged, bounded, private by default, and holds no password."""

import re
from pathlib import Path
from typing import Any

import pytest
from compose_file import OVERRIDES, ROOT, Service, compose, profiles, services

OURS = "paretofarm-"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SERVICES = services()
FILES = ["docker-compose.yml", *OVERRIDES]


def ours(service: Service) -> bool:
    return str(service["image"]).startswith(OURS)


def runs_on(service: Service) -> bool:
    return service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
class TestEveryService:
    def test_has_no_privileges(self, name: str) -> None:
        service = SERVICES[name]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"] is True
        assert not {"cap_add", "privileged", "devices", "pid", "ipc"} & service.keys()

    def test_is_not_root(self, name: str) -> None:
        """Our images end as a user of their own; others are told which."""
        service = SERVICES[name]
        assert ours(service) or re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
        assert not str(service.get("user", "1")).startswith("0")

    def test_cannot_fill_the_machine(self, name: str) -> None:
        service = SERVICES[name]
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
        assert service["mem_limit"]

    def test_publishes_ports_to_this_machine_only(self, name: str) -> None:
        for port in SERVICES[name].get("ports", []):
            assert port.startswith("${PARETOFARM_BIND:-127.0.0.1}:")

    def test_holds_no_password(self, name: str) -> None:
        """Only names of files with passwords."""
        environment = SERVICES[name].get("environment", {})
        secret = {key for key in environment if re.search("PASSWORD|SECRET|TOKEN|KEY", key)}
        assert all(key.endswith(("_FILE", "_GROUPS")) for key in secret)
        assert not [value for value in environment.values() if re.search(r"://[^/@]*:[^/@{]+@", str(value))]

    def test_has_a_pinned_image(self, name: str) -> None:
        image = re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", SERVICES[name]["image"])
        assert ours(SERVICES[name]) or re.search(r":v?\d+[\w.-]*$", image)

    def test_writes_to_the_secrets_only_if_it_makes_them(self, name: str) -> None:
        mounted = [str(volume) for volume in SERVICES[name].get("volumes", []) if "/run/secrets" in str(volume)]
        assert name == "secrets" or all(volume.endswith(":ro") for volume in mounted)

    def test_waits_only_for_services_that_start_with_it(self, name: str) -> None:
        service = SERVICES[name]
        for other in service.get("depends_on", {}):
            assert set(service.get("profiles", [])) <= set(SERVICES[other].get("profiles", profiles())), other

    def test_that_runs_on_is_watched(self, name: str) -> None:
        service = SERVICES[name]
        if runs_on(service):
            assert "healthcheck" in service or (ours(service) and _has_health_check(str(service["image"])))

    def test_mounts_volumes_that_are_declared(self, name: str) -> None:
        declared = compose()["volumes"].keys()
        for volume in SERVICES[name].get("volumes", []):
            source = volume["source"] if isinstance(volume, dict) else str(volume).split(":/", 1)[0]
            source = re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", source)
            assert source in declared or source.startswith("./")


def test_plain_up_needs_no_variable() -> None:
    """`docker compose up` on a fresh clone: every variable has a default."""
    for file in FILES:
        variables = re.findall(r"(?<!\$)\$\{(\w+)([^}]*)\}", (ROOT / file).read_text(encoding="utf-8"))
        assert [name for name, rest in variables if not rest.startswith((":-", "-", ":+"))] == []


def test_workers_have_the_time_to_hand_back_what_they_do() -> None:
    slow = {name: SERVICES[name]["stop_grace_period"] for name in ("worker", "trainer", "agent", "demo-agent")}
    assert all(int(period.removesuffix("s")) >= 30 for period in slow.values())


def test_each_secret_has_a_group_of_its_own() -> None:
    from cli.secret_folder import BROKER_ACL, NAMES

    text: str = SERVICES["secrets"]["environment"]["PARETOFARM_SECRET_GROUPS"]
    groups = dict(pair.split("=") for pair in text.split())
    assert set(groups) == {*NAMES, BROKER_ACL}
    assert len(set(groups.values())) == len(groups)
    assert set(groups.values()) <= set(SERVICES["secrets"]["group_add"])


def test_each_database_user_has_a_password_that_migrate_can_read() -> None:
    from cli.secret_folder import LOGIN_PREFIX, NAMES
    from db.roles import ROLES

    assert {LOGIN_PREFIX + role for role in ROLES} <= set(NAMES)
    text: str = SERVICES["secrets"]["environment"]["PARETOFARM_SECRET_GROUPS"]
    groups = dict(pair.split("=") for pair in text.split())
    assert {groups[LOGIN_PREFIX + role] for role in ROLES} <= set(SERVICES["migrate"]["group_add"])


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("scheduler", {"10011"}), ("worker", {"10012"}), ("trainer", {"10012"}), ("agent", {"10013"}),
        ("exporter", {"10014"}), ("phone", set()), ("demo-agent", {"10013"}), ("cli", {"10011"}),
        ("dashboard", {"10016"}),
    ],
)  # fmt: skip
def test_a_service_reads_the_password_of_its_own_role_only(name: str, groups: set[str]) -> None:
    assert set(SERVICES[name].get("group_add", [])) == groups


def test_the_dashboard_lets_nobody_in_without_a_token() -> None:
    stage = DOCKERFILE.split(" AS dashboard\n", 1)[1].split("\nFROM ", 1)[0]
    assert "--no-auth" not in stage
    assert "command" not in SERVICES["dashboard"]


def test_the_virtual_phone_is_reached_by_its_agent_alone() -> None:
    """Its shell is a shell."""
    document: Any = compose()
    assert SERVICES["phone"]["networks"] == ["phones"]
    assert document["networks"]["phones"] == {"internal": True}
    assert [name for name, service in SERVICES.items() if "phones" in service.get("networks", [])] == [
        "phone",
        "demo-agent",
    ]
    assert "--require-auth" in SERVICES["phone"]["command"]


def test_nothing_in_the_build_context_is_private() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(rule for rule in rules if not rule.startswith("#")) == "*"
    assert all((ROOT / rule[1:]).exists() for rule in rules if rule.startswith("!"))


def test_the_builder_needs_nothing_new() -> None:
    """Builders that reach no registry have no frontend but their own."""
    assert not re.search(r"^# *syntax=|<<\w|--link\b", DOCKERFILE, re.MULTILINE)


def _has_health_check(image: str) -> bool:
    target = image.removeprefix(OURS).split(":")[0]
    stage = DOCKERFILE.split(f" AS {target}\n", 1)[1].split("\nFROM ", 1)[0]
    return "HEALTHCHECK" in stage


def test_every_override_is_known() -> None:
    assert [Path(name).suffix for name in OVERRIDES] == [".yml"] * len(OVERRIDES)
