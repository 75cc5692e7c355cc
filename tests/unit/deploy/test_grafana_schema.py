"""Dashboards against Grafana's own description of them (its foundation SDK): what Grafana would not know is not there.

A Grafana itself is in no package registry: it has never loaded them here.
"""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from compose_file import ROOT
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

BOARDS = {
    file.stem: json.loads(file.read_text(encoding="utf-8"))
    for file in sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
}
register_default_plugins()  # with the types of each kind of panel and query


def unknown(board: dict[str, Any]) -> list[str]:
    """Paths of what is lost, or another, when Grafana's types have read the board and written it again."""
    return list(_differences(board, json.loads(JSONEncoder().encode(Dashboard.from_json(board))), "board"))


def _differences(ours: object, theirs: object, path: str) -> Iterator[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            yield from _differences(value, theirs.get(key), f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (mine, its) in enumerate(zip(ours, theirs, strict=True)):
            yield from _differences(mine, its, f"{path}[{index}]")
    elif ours != theirs:
        yield path


@pytest.mark.parametrize("name", BOARDS)
def test_grafana_knows_everything_in_a_dashboard(name: str) -> None:
    assert unknown(BOARDS[name]) == []


@pytest.mark.parametrize(
    ("misspell", "path"),
    [
        (lambda panel: panel.update(tittle="x"), "tittle"),
        (lambda panel: panel["targets"][0].update(legendFromat="x"), "targets[0].legendFromat"),
        (lambda panel: panel["options"].update(legnd=1), "options.legnd"),
        (lambda panel: panel["fieldConfig"]["defaults"].update(unitt="s"), "fieldConfig.defaults.unitt"),
    ],
)
def test_a_slip_would_be_found(misspell: Callable[[dict[str, Any]], None], path: str) -> None:
    board = copy.deepcopy(BOARDS["searches"])
    index, panel = next((i, panel) for i, panel in enumerate(board["panels"]) if panel["type"] != "row")
    misspell(panel)
    assert unknown(board) == [f"board.panels[{index}].{path}"]
