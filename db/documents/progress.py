"""How far a search is, as JSON: the part of `search show --json` that changes by the second."""

from dataclasses import asdict
from typing import Any

from db.progress import Progress


def progress_document(progress: Progress) -> dict[str, Any]:
    return {
        "candidates": {status.value: count for status, count in progress.counts.items()},
        "stages": {stage.value: asdict(load) for stage, load in progress.stages.items()},
        "failures": dict(progress.failures),
        "elapsed_s": round(progress.elapsed_s, 1),
        "per_minute": None if progress.per_minute is None else round(progress.per_minute, 3),
        "eta_s": None if progress.eta_s is None else round(progress.eta_s, 1),
    }
