"""Candidates with the fields that somebody asked for: flat rows for tables, nested documents without."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from db.candidate_page import Page
from db.documents.results import CSV_BOUNDS, CSV_METRICS, plain
from db.reported import ReportedCandidate
from db.tables import CandidateRow
from paretofarm.errors import ConfigError
from paretofarm.metrics import METRICS
from paretofarm.one_line import one_line

Value = Any
Row = dict[str, Value]

_OWN: Mapping[str, Callable[[ReportedCandidate, CandidateRow], Value]] = {
    "id": lambda found, row: found.id,
    "number": lambda found, row: found.number,
    "digest": lambda found, row: found.digest,
    "status": lambda found, row: found.status.value,
    "reason": lambda found, row: None if found.reason is None else one_line(found.reason),
    "origin": lambda found, row: found.origin,
    "parents": lambda found, row: list(found.parents),
    "simulated": lambda found, row: found.simulated,
    "noisy": lambda found, row: found.noisy,
    "pinned": lambda found, row: row.pinned_at is not None,
    "architecture": lambda found, row: row.architecture,
    "created_at": lambda found, row: row.created_at.isoformat(),
    "started_at": lambda found, row: row.started_at.isoformat() if row.started_at else None,
    "finished_at": lambda found, row: row.finished_at.isoformat() if row.finished_at else None,
    "latency_low_ms": lambda found, row: found.intervals.get("latency_ms", (None, None))[0],
    "latency_high_ms": lambda found, row: found.intervals.get("latency_ms", (None, None))[1],
}
FLAT = ("id", "digest", "status", *CSV_METRICS, *CSV_BOUNDS, "simulated", "noisy", "origin", "reason")
"""Columns of CSV and Parquet where no fields are named: those of `candidates --csv`."""
MOST = 100


def parse_fields(text: str, devices: Sequence[str]) -> tuple[str, ...]:
    """Names separated by commas. ConfigError names one that there is not."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not 1 <= len(names) <= MOST:
        raise ConfigError(f"fields: name 1 to {MOST}, separated by commas")
    for name in names:
        metric, _, device = name.partition("@")
        known = name in _OWN or (
            metric in METRICS and (not device or (METRICS[metric].per_device and device in devices))
        )
        if not known:
            raise ConfigError(f"fields: unknown field {name!r}; known are {', '.join((*_OWN, *METRICS))}")
    return names


def _is_metric(name: str, devices: Sequence[str]) -> bool:
    metric, at, device = name.partition("@")
    return metric in METRICS and (not at or (METRICS[metric].per_device and device in devices))


def flat_rows(page: Page, fields: Sequence[str]) -> list[Row]:
    """One dictionary per candidate with exactly these fields; None for a value that it lacks."""
    return [{name: _value(name, found, row) for name in fields} for found, row in page.rows]


def _value(name: str, found: ReportedCandidate, row: CandidateRow) -> Value:
    if name in _OWN:
        return _OWN[name](found, row)
    value = row.metrics.get(name) if "@" in name else found.metrics.get(name)
    return None if value is None else plain(value)
