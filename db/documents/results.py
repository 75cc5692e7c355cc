"""Lists of candidates: JSON for scripts, CSV for spreadsheets."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from db.reported import ReportedCandidate
from paretofarm.metrics import METRICS
from paretofarm.one_line import one_line

CSV_METRICS = tuple(METRICS)
CSV_BOUNDS = ("latency_low_ms", "latency_high_ms")


def document(search: str, device: str | None, results: Iterable[ReportedCandidate]) -> str:
    """The JSON of `front --json` and `candidates --json`: what scripts rely on."""
    return json.dumps(results_document(search, device, results))


def results_document(search: str, device: str | None, results: Iterable[ReportedCandidate]) -> dict[str, Any]:
    return {"search": search, "device": device, "candidates": [result_document(result) for result in results]}


def result_document(result: ReportedCandidate) -> dict[str, Any]:
    return {
        "id": result.id,
        "digest": result.digest,
        "status": result.status.value,
        "metrics": {name: plain(value) for name, value in result.metrics.items()},
        "intervals": {name: list(interval) for name, interval in result.intervals.items()},
        "simulated": result.simulated,
    }


def plain(value: float) -> float | int:
    """Whole numbers without `.0`."""
    return int(value) if float(value).is_integer() else value


def csv_text(results: Iterable[ReportedCandidate]) -> str:
    """The same columns whatever the search; an unknown value is empty. `latency_ms` is the chosen device class's."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["id", "digest", "status", *CSV_METRICS, *CSV_BOUNDS, "simulated", "noisy", "origin", "reason"])
    for result in results:
        known = result_document(result)["metrics"]
        writer.writerow(
            [
                result.id,
                result.digest,
                result.status.value,
                *(known.get(name, "") for name in CSV_METRICS),
                *result.intervals.get("latency_ms", ("", "")),
                str(result.simulated).lower(),
                str(result.noisy).lower(),
                result.origin,
                one_line(result.reason or ""),
            ]
        )
    return buffer.getvalue()
