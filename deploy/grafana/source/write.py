"""Writes the dashboards' JSON: run `python deploy/grafana/source/write.py` after a change.

Queries name metrics of docs/metrics.md only; a test compares them with the definitions, and the JSON with these files.
"""

import json
from pathlib import Path

from failures import FAILURES
from layout import Dashboard
from phones import PHONES
from searches import SEARCHES
from work import WORK

FOLDER = Path(__file__).parents[1] / "dashboards"
DASHBOARDS = {"searches": SEARCHES, "work": WORK, "phones": PHONES, "failures": FAILURES}


def written(dashboard: Dashboard) -> str:
    """The file's content."""
    return json.dumps(dashboard.to_json(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, dashboard in DASHBOARDS.items():
        (FOLDER / f"{name}.json").write_text(written(dashboard))
