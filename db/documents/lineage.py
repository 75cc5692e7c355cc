"""A candidate's relatives as JSON."""

from typing import Any

from db.lineage import Lineage, Relative


def lineage_document(lineage: Lineage) -> dict[str, Any]:
    return {
        "id": lineage.candidate_id,
        "complete": lineage.complete,
        "relatives": [_relative(relative) for relative in lineage.relatives],
    }


def _relative(relative: Relative) -> dict[str, Any]:
    """parents, changes: by number within the search; some parents may be left out of `relatives`."""
    return {
        "id": relative.id,
        "number": relative.number,
        "distance": relative.distance,
        "status": relative.status.value,
        "origin": relative.origin,
        "parents": list(relative.parents),
        "metrics": dict(relative.metrics),
        "changes": {
            str(number): {name: list(pair) for name, pair in changes.items()}
            for number, changes in relative.changes.items()
        },
    }
