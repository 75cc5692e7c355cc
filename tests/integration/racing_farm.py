"""A farm whose search measures contested members of its front again, and what a user sees of it meanwhile."""

import random
from dataclasses import dataclass, replace
from typing import Any

from factories import make_measurement, store_phone
from sqlalchemy import func, select, text
from test_scheduler import RESULTS, Farm

from db import events, leases
from db.candidates import counts
from db.events import Event, EventKind
from db.front import front
from db.plot_points import plot_points
from db.point_front import FrontRequest, point_front
from db.racing import repeated
from db.report import Report
from db.tables import EarlierMeasurementRow, EvaluationRow, MeasurementRow
from paretofarm.errors import ParetofarmError
from paretofarm.latency import LatencySummary
from paretofarm.lifecycle import CandidateStatus, EvaluationStatus, Stage
from paretofarm.measurement import PROTOCOL_VERSION

RACE = {"racing": {"measurements": 3, "candidates": 10}, "stop": {"candidates": 4}, "in_flight": 4}
KEY = "latency_ms@virtual"


@dataclass(frozen=True)
class Seen:
    """What a user sees of a search: latencies by number of the front, in the view, in the dashboard; of all dots."""

    front: dict[int, float]
    view: dict[int, float]
    dashboard: dict[int, float]
    plotted: list[float]
    simulated: set[bool]
    counts: dict[str, int]


class RacingFarm(Farm):
    """Networks are the more accurate the later they were proposed, and all as fast but for what a phone says."""

    def __init__(self, database_url: str, broker_url: str, **overrides: Any) -> None:
        super().__init__(database_url, broker_url, **{**RACE, **overrides})
        self.database_url = database_url
        with self.database.transaction() as session:
            self.phone_id = store_phone(session)
        self.phone = random.Random(1)
        self.half = 0.3

    def queued(self, stage: Stage | None = None) -> list[EvaluationRow]:
        with self.database.transaction() as session:
            query = select(EvaluationRow).where(EvaluationRow.status == EvaluationStatus.QUEUED)
            query = query if stage is None else query.where(EvaluationRow.stage == stage)
            return list(session.scalars(query.order_by(EvaluationRow.id)))

    def do(self, error: ParetofarmError | None = None) -> int:
        """All that is queued; measurements end with the error, where there is one."""
        rows = self.queued()
        for row in rows:
            with self.database.transaction() as session:
                claim = leases.claim(session, row.id, row.attempt, owner="test", lease_s=60)
                assert claim is not None
                if error is not None and row.stage is Stage.MEASURE:
                    leases.fail(session, claim, error)
                else:
                    leases.report(session, claim, self.report(row.stage, claim.number))
        return len(rows)

    def report(self, stage: Stage, number: int) -> Report:
        if stage is Stage.TRAIN:
            return Report(metrics={"miou": 0.5 + 0.01 * number})
        if stage is not Stage.MEASURE:
            return Report(metrics=RESULTS[stage])
        value = 3.0 + self.phone.uniform(-0.1, 0.1)
        summary = replace(self.summary, latency_ms=value, low_ms=value - self.half, high_ms=value + self.half)
        record = replace(make_measurement(self.phone_id), summary=summary, protocol=PROTOCOL_VERSION)
        ends = {"latency_ms": (summary.low_ms, summary.high_ms)}
        return Report(metrics={"latency_ms": value}, intervals=ends, measurement=record)

    @property
    def summary(self) -> LatencySummary:
        return make_measurement(self.phone_id).summary

    def until_measured_again(self) -> None:
        for _ in range(50):
            self.scheduler.tick()
            if self.happened(EventKind.CANDIDATE_CONTESTED):
                return
            self.do()
        raise AssertionError("nobody was measured again")

    def to_the_end(self) -> None:
        for _ in range(50):
            self.scheduler.tick()
            if not self.do():
                return
        raise AssertionError("it never ends")

    def seen(self) -> "Seen":
        with self.database.transaction() as session:
            found = front(session, self.search(), "virtual")
            shown = point_front(session, self.search(), FrontRequest())
            view = text("SELECT number, latency_ms FROM pareto_front WHERE experiment_id = :id")
            plotted = plot_points(session, self.search()).columns[KEY]
            contested = [row for row in self.candidates() if row.contested_at is not None]
            return Seen(
                {member.number: member.metrics["latency_ms"] for member in found.members},
                dict(session.execute(view, {"id": self.id}).tuples().all()),
                {member.number: member.metrics["latency_ms"] for member in shown.members},
                sorted(plotted),
                {member.simulated for member in found.members},
                {"complete": counts(session, self.id)[CandidateStatus.COMPLETE], "contested": len(contested)},
            )

    def happened(self, kind: EventKind) -> list[Event]:
        with self.database.transaction() as session:
            return events.latest(session, kinds=[kind], experiment_id=self.id, limit=1000)

    def sessions(self) -> dict[int, int]:
        with self.database.transaction() as session:
            return {each.number: each.measurements for each in repeated(session, self.id)}

    def count(self, rows: type[MeasurementRow] | type[EarlierMeasurementRow]) -> int:
        with self.database.transaction() as session:
            return session.scalar(select(func.count()).select_from(rows)) or 0
