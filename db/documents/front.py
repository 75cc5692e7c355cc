"""A front as JSON: `front --json` and which metrics it is about."""

from typing import Any

from db.documents.results import results_document
from db.point_front import PointFront


def front_document(search: str, front: PointFront) -> dict[str, Any]:
    """in_doubt: ids of members whose intervals overlap those of others, shown since that was asked for. left_out: how
    many more there are."""
    return {
        **results_document(search, front.device, front.members),
        "axes": [{"name": axis.name, "goal": axis.goal.value} for axis in front.axes],
        "in_doubt": sorted(front.doubtful),
        "left_out": front.left_out,
    }
