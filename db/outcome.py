"""The rows that only some evaluations leave behind: a measurement, epochs."""

from collections.abc import Sequence

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from db.claim import Claim
from db.report import EpochMetrics, MeasurementRecord
from db.tables import MeasurementRow, TrainingMetricsRow


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
