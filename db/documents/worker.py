"""A process that works or plans, as JSON."""

from typing import Any

from db.workers import Worker

LOST_AFTER_S = 60.0


def worker_document(worker: Worker) -> dict[str, Any]:
    """state: `there`, `stopped` (in order) or `lost`."""
    facts = worker.facts
    details = {name: value for name, value in facts.details.items() if name != "stopped"}
    return {
        "name": facts.name,
        "kind": facts.kind,
        "host": facts.host,
        "pid": facts.pid,
        "queues": list(facts.queues),
        "code_version": facts.code_version,
        "state": _state(worker),
        "started_at": worker.started_at.isoformat(),
        "heartbeat_age_s": round(worker.heartbeat_age_s, 1),
        "details": details,
    }


def _state(worker: Worker) -> str:
    if worker.facts.details.get("stopped"):
        return "stopped"
    return "lost" if worker.heartbeat_age_s > LOST_AFTER_S else "there"
