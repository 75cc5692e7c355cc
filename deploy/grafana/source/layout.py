"""Dashboards in a few words, written out as Grafana wants them; the files beside this one say what they show."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

WIDTH = 24
HEIGHT = 8
GREEN, RED, YELLOW = "green", "red", "orange"
SOURCE = {"type": "prometheus", "uid": "${source}"}


class Look(StrEnum):
    """Kinds of panels."""

    LINES = "timeseries"
    AREAS = "areas"
    NUMBER = "stat"
    BARS = "bargauge"
    TABLE = "table"


@dataclass(frozen=True)
class Query:
    """expr: PromQL; legend: with Grafana's {{labels}}."""

    expr: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """unit: Grafana's name of it; steps: (from which value on, colour), in order; width in columns of 24."""

    title: str
    queries: Sequence[Query]
    unit: str
    says: str = ""
    look: Look = Look.LINES
    steps: Sequence[tuple[float, str]] = ()
    width: int = 12
    lowest: float | None = 0
    highest: float | None = None


@dataclass(frozen=True)
class Variable:
    """A choice at the top of a dashboard: values of a label of a metric."""

    name: str
    metric: str
    label: str


@dataclass(frozen=True)
class Dashboard:
    """rows: titles with their panels."""

    uid: str
    title: str
    rows: Sequence[tuple[str, Sequence[Panel]]]
    variables: Sequence[Variable] = field(default_factory=tuple)

    def to_json(self) -> dict[str, Any]:
        """The dashboard as a file for Grafana's provisioning."""
        return {
            "uid": self.uid,
            "title": self.title,
            "tags": ["paretofarm"],
            "timezone": "utc",
            "schemaVersion": 39,
            "editable": False,
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "links": [_link()],
            "templating": {"list": [_source(), *(_variable(variable) for variable in self.variables)]},
            "panels": _panels(self.rows),
        }


def quantile(share: float, metric: str, by: str = "") -> str:
    """A quantile of a histogram over whatever interval Grafana finds sensible."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket[$__rate_interval])))"


def _panels(rows: Sequence[tuple[str, Sequence[Panel]]]) -> list[dict[str, Any]]:
    """From left to right, wrapped, below a line with the row's title."""
    placed: list[dict[str, Any]] = []
    top = 0
    for title, panels in rows:
        placed.append({**_place(len(placed), 0, top, WIDTH, 1), "type": "row", "title": title, "collapsed": False})
        top, left = top + 1, 0
        for panel in panels:
            if left + panel.width > WIDTH:
                top, left = top + HEIGHT, 0
            placed.append({**_place(len(placed), left, top, panel.width, HEIGHT), **_panel(panel)})
            left += panel.width
        top += HEIGHT
    return placed


def _place(number: int, x: int, y: int, width: int, height: int) -> dict[str, Any]:
    return {"id": number + 1, "gridPos": {"x": x, "y": y, "w": width, "h": height}}


def _panel(panel: Panel) -> dict[str, Any]:
    lines = panel.look in (Look.LINES, Look.AREAS)
    return {
        "type": Look.LINES.value if lines else panel.look.value,
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "targets": [_target(panel, number, query) for number, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _defaults(panel, lines), "overrides": []},
        "options": _options(panel.look, lines),
    }


def _target(panel: Panel, number: int, query: Query) -> dict[str, Any]:
    now = panel.look in (Look.NUMBER, Look.BARS, Look.TABLE)
    form = "table" if panel.look is Look.TABLE else "time_series"
    return {
        "refId": chr(ord("A") + number),
        "datasource": SOURCE,
        "expr": query.expr,
        "legendFormat": query.legend,
        "instant": now,
        "range": not now,
        "format": form,
    }


def _defaults(panel: Panel, lines: bool) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"value": None, "color": GREEN}]
    steps += [{"value": value, "color": color} for value, color in panel.steps]
    defaults: dict[str, Any] = {
        "unit": panel.unit,
        "min": panel.lowest,
        "max": panel.highest,
        "color": {"mode": "palette-classic" if lines else "thresholds"},
        "thresholds": {"mode": "absolute", "steps": steps},
    }
    if lines:
        areas = panel.look is Look.AREAS
        defaults["custom"] = {
            "fillOpacity": 40 if areas else 5,
            "stacking": {"mode": "normal" if areas else "none"},
            "thresholdsStyle": {"mode": "dashed" if panel.steps else "off"},
            "showPoints": "never",
        }
    return {name: value for name, value in defaults.items() if value is not None}


def _options(look: Look, lines: bool) -> dict[str, Any]:
    if lines:
        return {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    if look is Look.TABLE:
        return {"showHeader": True}
    return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "orientation": "horizontal"}


def _source() -> dict[str, Any]:
    """Which Prometheus; there is one, unless somebody adds more."""
    return {"name": "source", "label": "Source", "type": "datasource", "query": "prometheus", "hide": 2}


def _variable(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.name,
        "label": variable.name.capitalize(),
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": f"label_values({variable.metric}, {variable.label})", "refId": variable.name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _link() -> dict[str, Any]:
    return {"type": "dashboards", "tags": ["paretofarm"], "asDropdown": False, "title": "", "includeVars": False}
