"""Measurements that can be used again: the same network on the same device class under the same protocol."""

from sqlalchemy import ColumnElement, Double, cast, select
from sqlalchemy.orm import Session

from db.report import MeasurementRecord
from db.tables import MeasurementRow
from paretofarm.latency import Block, LatencySummary


def reusable(
    session: Session,
    network_sha256: str,
    *,
    device: str,
    protocol_key: str,
    simulated: bool,
    max_relative_ci: float,
    sustained_s: float = 0.0,
) -> MeasurementRecord | None:
    """The newest measurement that was not noisy, not a copy itself and as precise as wanted, as a copy to be stored.

    sustained_s: where given, one with a sustained run of that length.
    """
    query = select(MeasurementRow).where(
        MeasurementRow.network_sha256 == network_sha256,
        MeasurementRow.device == device,
        MeasurementRow.protocol_key == protocol_key,
        MeasurementRow.simulated.is_(simulated),
        MeasurementRow.reused_from.is_(None),
        MeasurementRow.summary["noisy"].as_boolean().is_(False),
        (_number("high_ms") - _number("low_ms")) / 2 <= max_relative_ci * _number("latency_ms"),
    )
    if sustained_s:
        planned = cast(MeasurementRow.details["sustained"]["planned_s"].astext, Double)
        query = query.where(planned == sustained_s)
    row = session.scalars(query.order_by(MeasurementRow.id.desc()).limit(1)).one_or_none()
    return None if row is None else _copy(row)


def _number(name: str) -> ColumnElement[float]:
    return cast(MeasurementRow.summary[name].astext, Double)


def _copy(row: MeasurementRow) -> MeasurementRecord:
    return MeasurementRecord(
        phone_id=row.phone_id,
        network_sha256=row.network_sha256,
        runtime=row.runtime,
        protocol=row.protocol,
        blocks=[_block(**block) for block in row.samples],
        summary=LatencySummary(**row.summary),
        conditions=row.conditions,
        simulated=row.simulated,
        device=row.device,
        protocol_key=row.protocol_key,
        details=row.details,
        reused_from=row.id,
    )


def _block(
    reference_before_ms: list[float], candidate_ms: list[float], reference_after_ms: list[float], disturbed: str | None
) -> Block:
    return Block(tuple(reference_before_ms), tuple(candidate_ms), tuple(reference_after_ms), disturbed)
