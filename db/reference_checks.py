"""Reference checks: a phone ran the reference network to show that it is as it always was."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from db.tables import ReferenceCheckRow
from paretofarm.reference_band import REMEMBERED


@dataclass(frozen=True)
class ReferenceCheck:
    """latency_ms: None where the phone could not run it; baseline_ms: the median of its band; reason: of a failure.

    conditions: as JSON; `fingerprint`, the phone's build of Android, among them.
    """

    phone_id: int
    reference_sha256: str
    protocol_key: str
    latency_ms: float | None
    baseline_ms: float | None
    output_sha256: str | None
    reason: str | None
    simulated: bool
    conditions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return self.reason is None


@dataclass(frozen=True)
class History:
    """What a phone did in checks that it passed: times, oldest first, and the first output that it gave."""

    latencies_ms: tuple[float, ...] = ()
    output_sha256: str | None = None


def store(session: Session, check: ReferenceCheck) -> None:
    values = {name: getattr(check, name) for name in ReferenceCheck.__dataclass_fields__}
    session.execute(
        insert(ReferenceCheckRow).values({**values, "conditions": dict(check.conditions), "passed": check.passed})
    )


def history(session: Session, phone_id: int, *, reference_sha256: str, protocol_key: str, fingerprint: str) -> History:
    """Of one phone, reference, protocol and build of Android: another build begins a history of its own."""
    query = (
        select(ReferenceCheckRow.latency_ms, ReferenceCheckRow.output_sha256)
        .where(
            ReferenceCheckRow.phone_id == phone_id,
            ReferenceCheckRow.reference_sha256 == reference_sha256,
            ReferenceCheckRow.protocol_key == protocol_key,
            ReferenceCheckRow.conditions["fingerprint"].astext == fingerprint,
            ReferenceCheckRow.passed,
        )
        .order_by(ReferenceCheckRow.at.desc(), ReferenceCheckRow.id.desc())
        .limit(REMEMBERED)
    )
    rows = session.execute(query).tuples().all()
    latencies = tuple(latency for latency, _ in reversed(rows) if latency is not None)
    return History(latencies, next((output for _, output in reversed(rows) if output is not None), None))
