"""Processes that work or plan, as they announce themselves. For people and dashboards: leases decide what is alive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Double, cast, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from db.tables import NOW, WorkerRow
from paretofarm.capacity import Capacity
from paretofarm.lifecycle import Stage

LOST_S = 60.0
"""Without a sign of life for so long a process counts as gone."""
_PLACES = text(
    f"""
    SELECT CASE kind WHEN 'agent' THEN queue END AS queue,
           sum(CASE kind WHEN 'agent' THEN 1 ELSE coalesce((details->>'slots')::int, 1) END)::int AS slots
    FROM workers LEFT JOIN LATERAL unnest(queues) queue ON kind = 'agent'
    WHERE heartbeat_at > clock_timestamp() - interval '{LOST_S:g} seconds' AND NOT details @> '{{"stopped": true}}'
          AND (kind = 'worker' OR (kind = 'agent' AND queue LIKE '{Stage.MEASURE.value}.%'))
    GROUP BY 1
    """
)


@dataclass(frozen=True)
class WorkerFacts:
    """name: unique, the one it owns leases under; kind: `worker`, `agent` or `scheduler`.

    details: of a worker `slots`, how many jobs it does at a time.
    """

    name: str
    kind: str
    host: str
    pid: int
    queues: Sequence[str]
    code_version: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Worker:
    """heartbeat_age_s: by the database's clock."""

    facts: WorkerFacts
    started_at: datetime
    heartbeat_age_s: float


def register(session: Session, facts: WorkerFacts) -> None:
    """Announces a process that starts; one of the same name before it is forgotten."""
    values = {name: getattr(facts, name) for name in ("name", "kind", "host", "pid", "code_version")}
    values |= {"queues": list(facts.queues), "details": dict(facts.details)}
    values |= {"started_at": NOW, "heartbeat_at": NOW}
    session.execute(insert(WorkerRow).values(values).on_conflict_do_update(index_elements=["name"], set_=values))


def heartbeat(session: Session, name: str) -> None:
    """Still there. Worth a transaction that is not durable."""
    session.execute(update(WorkerRow).where(WorkerRow.name == name).values(heartbeat_at=NOW))


def retire(session: Session, name: str) -> None:
    """It ends as it should: nobody has to look for it."""
    stopped = WorkerRow.details.op("||")(cast({"stopped": True}, JSONB))
    session.execute(update(WorkerRow).where(WorkerRow.name == name).values(details=stopped))


def list_workers(session: Session) -> list[Worker]:
    """All processes ever announced, the latest sign of life first."""
    age_s = cast(func.extract("epoch", NOW - WorkerRow.heartbeat_at), Double)
    query = select(WorkerRow, age_s).order_by(WorkerRow.heartbeat_at.desc())
    return [Worker(_facts(row), row.started_at, age) for row, age in session.execute(query).tuples()]


def live_capacity(session: Session, *, searches: int) -> Capacity:
    """What live workers and phones do at a time; searches: how many share them.

    Of older versions of the code a worker does not tell its slots: one.
    """
    row = session.execute(_PLACES).all()
    slots = sum(each.slots for each in row if each.queue is None)
    return Capacity(slots, {each.queue: each.slots for each in row if each.queue is not None}, searches)


def _facts(row: WorkerRow) -> WorkerFacts:
    return WorkerFacts(row.name, row.kind, row.host, row.pid, tuple(row.queues), row.code_version, row.details)
