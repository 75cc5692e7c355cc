"""Alerts and dashboards as files: each names metrics that exist, each alert has its section in the handbook."""

import importlib.util
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from paretofarm.instrument import PREFIX
from paretofarm.instruments import INSTRUMENTS

ROOT = Path(__file__).parents[2]
PROMETHEUS, GRAFANA = ROOT / "deploy/prometheus", ROOT / "deploy/grafana"
SERIES = {series for instrument in INSTRUMENTS for series in instrument.series}
LABELS = {instrument.full_name: set(instrument.labels) for instrument in INSTRUMENTS}
OWN_LABELS = {"job", "instance", "le", "alertstate"}
RULES = [rule for group in yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"] for rule in group["rules"]]
BOARDS: Mapping[str, Any] = {
    file.stem: json.loads(file.read_text()) for file in (GRAFANA / "dashboards").glob("*.json")
}
PANELS = [
    pytest.param(panel, id=f"{name}-{panel['title']}")
    for name, board in BOARDS.items()
    for panel in board["panels"]
    if panel["type"] != "row"
]

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
each_panel = pytest.mark.parametrize("panel", PANELS)


def metrics_in(expression: str) -> set[str]:
    return set(re.findall(rf"\b{PREFIX}\w+", expression))


def matchers_in(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Each metric with the labels that its braces name."""
    for metric, braces in re.findall(rf"\b({PREFIX}\w+)\{{([^}}]*)\}}", expression):
        yield metric, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", braces))


def check(expression: str) -> None:
    unknown = metrics_in(expression) - SERIES
    assert not unknown
    for metric, labels in matchers_in(expression):
        instrument = re.sub(r"_(bucket|count|sum)$", "", metric) if metric not in LABELS else metric
        assert labels <= LABELS[instrument] | OWN_LABELS


@each_rule
def test_an_alert_names_metrics_and_labels_that_exist(rule: Mapping[str, Any]) -> None:
    check(rule["expr"])


@each_rule
def test_an_alert_says_how_bad_it_is_and_what_is_the_matter(rule: Mapping[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert rule["annotations"]["summary"].endswith(".")


@each_rule
def test_an_alerts_runbook_is_a_section_of_the_handbook(rule: Mapping[str, Any]) -> None:
    file, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / file).read_text(), re.MULTILINE)
    assert anchor == rule["alert"].lower()
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


def test_every_alert_has_a_unit_test_in_which_it_fires() -> None:
    tests = yaml.safe_load((PROMETHEUS / "rules_test.yml").read_text())["tests"]
    fired = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert fired == {rule["alert"] for rule in RULES}


@each_panel
def test_a_panel_asks_for_metrics_that_exist(panel: Mapping[str, Any]) -> None:
    assert panel["targets"]
    for target in panel["targets"]:
        assert metrics_in(target["expr"]) or target["expr"].startswith("ALERTS{")
        check(target["expr"])


@each_panel
def test_a_panel_has_a_unit_and_asks_prometheus(panel: Mapping[str, Any]) -> None:
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"]["type"] == "prometheus"


@pytest.mark.parametrize("name", BOARDS)
def test_panels_neither_overlap_nor_leave_the_page(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARDS[name]["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells


@pytest.mark.parametrize("name", BOARDS)
def test_variables_are_labels_that_exist_and_every_variable_is_used(name: str) -> None:
    board = BOARDS[name]
    expressions = " ".join(target["expr"] for panel in board["panels"] for target in panel.get("targets", []))
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            found = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"])
            assert found is not None
            assert found[2] in LABELS[found[1]]
            assert f"${variable['name']}" in expressions


def test_the_dashboards_are_what_their_sources_say() -> None:
    sources = GRAFANA / "source"
    specification = importlib.util.spec_from_file_location("dashboard_writer", sources / "write.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.path.insert(0, str(sources))
    try:
        specification.loader.exec_module(module)
    finally:
        sys.path.remove(str(sources))
    for name, dashboard in module.DASHBOARDS.items():
        assert (GRAFANA / f"dashboards/{name}.json").read_text() == module.written(dashboard)
    assert set(module.DASHBOARDS) == set(BOARDS)


def test_what_people_ask_for_is_on_the_dashboards() -> None:
    shown = set().union(
        *(metrics_in(target["expr"]) for board in BOARDS.values() for panel in board["panels"]
          for target in panel.get("targets", []))
    )  # fmt: skip
    wanted = {
        "search_hypervolume_ratio", "candidates", "evaluations", "queue_oldest_seconds", "evaluations_in_progress",
        "slots", "phones", "phone_temperature_celsius", "gpu_utilisation_ratio", "attempt_failures_total",
    }  # fmt: skip
    assert {PREFIX + name for name in wanted} <= shown


def test_what_is_scraped_are_services_of_compose() -> None:
    services = set(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])
    scraped: set[str] = set()
    for job in yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]:
        for found in job.get("dns_sd_configs", []):
            assert found["port"] == 9464 or (found["names"] == ["agent"] and found["port"] in range(9465, 9472))
            scraped.update(found["names"])
        scraped.update(target.split(":")[0] for fixed in job.get("static_configs", []) for target in fixed["targets"])
    told = {"exporter", "scheduler", "worker", "trainer", "agent", "demo-agent", "dashboard"}
    assert scraped - {"127.0.0.1"} == told
    assert scraped - {"127.0.0.1"} <= services


def test_grafana_looks_for_dashboards_where_compose_mounts_them() -> None:
    grafana = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]
    [provider] = yaml.safe_load((GRAFANA / "provisioning/dashboards/paretofarm.yml").read_text())["providers"]
    mounted = {line.split(":")[1]: line.split(":")[0] for line in grafana["volumes"]}
    assert mounted[provider["options"]["path"]] == "./deploy/grafana/dashboards"
    assert mounted["/etc/grafana/provisioning"] == "./deploy/grafana/provisioning"
