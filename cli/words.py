"""Numbers, durations and events as people read them."""

from collections.abc import Mapping
from math import floor, log10
from typing import Any

from db.events import Event, EventKind
from paretofarm.metrics import METRICS
from paretofarm.one_line import one_line

_RATIOS = ("miou", "f1", "pixel_accuracy", "accuracy")
DIGITS: Mapping[str, str] = {name: ".4f" for name in (*_RATIOS, *(f"device_{name}" for name in _RATIOS), "loss")}


def metric_text(key: str, value: float | None) -> str:
    """A metric's value without its unit: four digits that count, thousands separated."""
    if value is None:
        return "-"
    name = key.partition("@")[0]
    if name in DIGITS:
        return format(value, DIGITS[name])
    if float(value).is_integer() and abs(value) >= 1000:
        return f"{int(value):,}"
    return f"{value:.4g}"


def heading(key: str) -> str:
    """A metric's name with its unit, where the name does not say it: `network_bytes`, `latency_ms`, `miou`."""
    name = key.partition("@")[0]
    unit = METRICS[name].unit if name in METRICS else ""
    return name if not unit or name.endswith(f"_{unit}") else f"{name} ({unit})"


def interval_text(key: str, value: float | None, interval: tuple[float, float] | None) -> str:
    """`3.20 (3.15–3.31)`: value and 95 % interval, which seldom reaches as far up as down."""
    if value is None or interval is None:
        return metric_text(key, value)
    decimals = 1 if value >= 100 else 2 if value >= 1 else 2 - floor(log10(max(value, 1e-6)))
    low, high = (f"{bound:.{decimals}f}" for bound in interval)
    return f"{value:.{decimals}f} ({low}–{high})"


def count_text(count: int, noun: str) -> str:
    """`1 member`, `2 members`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def duration(seconds: float) -> str:
    """12 s, 3:05 min, 2:10 h, 3.4 days."""
    whole = round(max(seconds, 0))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    if whole < 48 * 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
    return f"{whole / 86400:.1f} days"


def bytes_text(size_bytes: float) -> str:
    """12 B, 3.4 kB, 5.6 MB: decimal, as disks are sold."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} B" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"


def event_text(event: Event) -> str | None:
    """One line about what is worth showing while a search runs; None for the many that are not."""
    details: Mapping[str, Any] = event.details
    reason = one_line(str(details.get("reason") or details.get("code") or ""))
    match event.kind:
        case EventKind.CANDIDATE_FINISHED if details.get("status") == "complete":
            return f"candidate {event.candidate_id} is complete"
        case EventKind.CANDIDATE_FINISHED:
            return f"candidate {event.candidate_id} is {details.get('status')}: {reason}"
        case EventKind.EVALUATION_REQUEUED:
            return f"candidate {event.candidate_id} is tried again: {details.get('code')}: {reason}"
        case EventKind.CANDIDATE_CONTESTED:
            return f"candidate {event.candidate_id} is measured again: its place on the front is in doubt"
        case EventKind.PHONE_CHANGED if reason:
            return f"phone {event.phone_id} is {details.get('state')}: {reason}"
        case EventKind.PHONE_QUARANTINED:
            return f"phone {event.phone_id} is in quarantine: {reason}"
        case EventKind.PHONE_RECOVERY:
            return f"phone {event.phone_id} is being recovered by {details.get('step')}: {reason}"
        case EventKind.EXPERIMENT_STOPPED:
            return "the search is stopped: what is in flight comes to its end"
        case EventKind.EXPERIMENT_RESUMED:
            return "the search goes on"
        case _:
            return None
