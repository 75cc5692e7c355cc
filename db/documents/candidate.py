"""One candidate as JSON: what `candidate --json` prints. Names and units as in the database."""

from dataclasses import asdict
from typing import Any

from db.artifact import CandidateArtifact
from db.reports import CandidateDetail, Parent, ReportedEvaluation, ReportedMeasurement


def candidate_document(detail: CandidateDetail) -> dict[str, Any]:
    return {
        "id": detail.id,
        "number": detail.number,
        "search": detail.search,
        "digest": detail.digest,
        "status": detail.status,
        "reason": detail.reason,
        "origin": detail.origin,
        "simulated": detail.simulated,
        "pinned": detail.pinned,
        "metrics": detail.metrics,
        "intervals": detail.intervals,
        "architecture": detail.architecture.to_dict(),
        "parents": [_parent(parent) for parent in detail.parents],
        "evaluations": [_evaluation(work) for work in detail.evaluations],
        "measurements": [_measurement(measurement) for measurement in detail.measurements],
        "scores": [asdict(score) for score in detail.scores],
        "calibrations": {device: result.to_dict() for device, result in detail.calibrations.items()},
        "epochs": [asdict(epoch) for epoch in detail.epochs],
        "artifacts": [_artifact(artifact) for artifact in detail.artifacts],
        "per_class": detail.per_class,
    }


def _parent(parent: Parent) -> dict[str, Any]:
    return {"id": parent.id, "digest": parent.digest, "changes": parent.changes}


def _evaluation(work: ReportedEvaluation) -> dict[str, Any]:
    return {
        "id": work.id,
        "step": str(work.step),
        "status": work.status,
        "attempt": work.attempt,
        "failures": work.failures,
        "owner": work.owner,
        "code": work.code,
        "reason": work.reason,
        "duration_s": work.duration_s,
        "details": work.details,
    }


def _measurement(measurement: ReportedMeasurement) -> dict[str, Any]:
    return {
        "device": measurement.device,
        "phone": measurement.phone,
        "simulated": measurement.simulated,
        "runtime": measurement.runtime,
        "samples": list(measurement.samples),
        "summary": measurement.summary,
        "conditions": measurement.conditions,
        "details": measurement.details,
        "reused_from": measurement.reused_from,
        "earlier": list(measurement.earlier),
        "created_at": measurement.created_at.isoformat(),
    }


def _artifact(artifact: CandidateArtifact) -> dict[str, Any]:
    return {
        "kind": artifact.kind,
        "device": artifact.device,
        "sha256": artifact.sha256,
        "size_bytes": artifact.size_bytes,
        "uri": artifact.uri,
        "deleted_at": artifact.deleted_at,
    }
