"""An event as JSON."""

from typing import Any

from db.events import Event


def event_document(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "at": event.at.isoformat(),
        "kind": event.kind.value,
        "search_id": event.experiment_id,
        "candidate_id": event.candidate_id,
        "evaluation_id": event.evaluation_id,
        "phone_id": event.phone_id,
        "details": dict(event.details),
    }
