"""The rows that an evaluation leaves behind beside its own: artifacts, measurement, epochs."""

from collections.abc import Sequence

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from db.artifact import StoredArtifact
from db.claim import Claim
from db.report import EpochMetrics, MeasurementRecord
from db.tables import ArtifactRow, CandidateArtifactRow, MeasurementRow, TrainingMetricsRow


def link_artifacts(session: Session, claim: Claim, artifacts: Sequence[StoredArtifact]) -> None:
    """Records artifacts as this evaluation's; a newer one of the same kind takes the place of the older."""
    # In order of content, as everywhere: two transactions that store the same two files must not wait for each other.
    for artifact in sorted(artifacts, key=lambda artifact: artifact.sha256):
        row = {"sha256": artifact.sha256, "kind": artifact.kind, "size_bytes": artifact.size_bytes, "uri": artifact.uri}
        session.execute(upsert(ArtifactRow).values(row).on_conflict_do_nothing())
        link = upsert(CandidateArtifactRow).values(
            candidate_id=claim.candidate_id,
            evaluation_id=claim.evaluation_id,
            sha256=artifact.sha256,
            kind=artifact.kind,
            device=claim.step.device,
        )
        changed = {"sha256": link.excluded.sha256, "device": link.excluded.device}
        session.execute(link.on_conflict_do_update(index_elements=["evaluation_id", "kind"], set_=changed))


def store_measurement(session: Session, claim: Claim, measurement: MeasurementRecord) -> None:
    session.execute(insert(MeasurementRow).values(evaluation_id=claim.evaluation_id, **measurement.to_row()))


def store_epochs(session: Session, claim: Claim, epochs: Sequence[EpochMetrics]) -> None:
    """A repeated epoch (a training that was begun again) takes the place of the earlier one."""
    for epoch in epochs:
        row = upsert(TrainingMetricsRow).values(
            evaluation_id=claim.evaluation_id,
            epoch=epoch.epoch,
            train_loss=epoch.train_loss,
            metrics=dict(epoch.metrics),
            duration_s=epoch.duration_s,
        )
        changed = {name: row.excluded[name] for name in ("train_loss", "metrics", "duration_s", "created_at")}
        session.execute(row.on_conflict_do_update(index_elements=["evaluation_id", "epoch"], set_=changed))
