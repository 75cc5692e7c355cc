"""Asks a real Prometheus every query of the dashboards and alerts: `python tests/tools/evaluate_queries.py URL`.

Run by hand beside a farm that is being scraped (`PARETOFARM_METRICS=127.0.0.1:9464 paretofarm up` and a search). Prints
each query's number of series; exit code 1 where Prometheus refuses one.
"""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
VARIABLES = {"$__rate_interval": "1m", "$search": ".*", "$device": ".*"}


def main() -> None:
    server = sys.argv[1].rstrip("/")
    refused = 0
    for place, expression in [*dashboard_queries(), *alert_queries()]:
        try:
            say(f"{ask(server, expression):4d}  {place}")
        except urllib.error.HTTPError as error:
            refused += 1
            say(f"REFUSED  {place}: {expression}: {error.read().decode()}")
    sys.exit(1 if refused else 0)


def dashboard_queries() -> Iterator[tuple[str, str]]:
    """Where and what, with Grafana's variables filled in."""
    for file in sorted((ROOT / "deploy/grafana/dashboards").glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel.get("targets", []):
                yield f"{file.stem}: {panel['title']}: {target['legendFormat']}", filled_in(target["expr"])


def alert_queries() -> Iterator[tuple[str, str]]:
    for group in yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield f"alert: {rule['alert']}", rule["expr"]


def filled_in(expression: str) -> str:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


def ask(server: str, expression: str) -> int:
    """How many series it gives now."""
    query = urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(f"{server}/api/v1/query?{query}", timeout=10) as answer:
        return len(json.load(answer)["data"]["result"])


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
