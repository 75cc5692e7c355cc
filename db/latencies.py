"""Latencies that any search has measured on a device class over a space, however long ago."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from db import experiments
from db.experiments import StoredExperiment
from db.racing import earlier_summaries
from db.tables import CandidateRow, EvaluationRow, MeasurementRow, PhoneRow
from paretofarm.architecture import Architecture
from paretofarm.errors import ConfigError, NotFound
from paretofarm.experiment import Experiment
from paretofarm.measurement import PROTOCOL_VERSION
from paretofarm.racing import intervals_of, pool
from paretofarm.shared_latency import MeasuredLatency, newest, pace

MOST = 2000
"""That are looked at, the latest: a model rests on fewer."""
LOOKED_AT = 20_000
"""Of the latest measurements, whatever of, by a scheduler that starts."""
OVERLAP = 200
"""Ids that are looked at again: a transaction with a lower one may have been stored after one with a higher."""

_Found = tuple[int, str, int]


@dataclass
class LatencyFeed:
    """What other searches measure that one search can use; each measurement is told once.

    Belongs to one search of one scheduler. Simulated phones count where the device class has no others.
    """

    search: StoredExperiment
    _told: set[int] = field(default_factory=set)
    _newest: int = 0
    _comparable: dict[int, bool] = field(default_factory=dict)

    def read(self, session: Session) -> list[MeasuredLatency]:
        """Those that were stored since."""
        newest = session.scalar(select(func.max(MeasurementRow.id))) or 0
        if newest == self._newest:
            return []
        after = max(self._newest - OVERLAP, newest - LOOKED_AT)
        columns = (MeasurementRow.id, EvaluationRow.device, CandidateRow.experiment_id)
        query = _measured(self.search.experiment.devices, *columns)
        query = query.where(MeasurementRow.id > after, CandidateRow.experiment_id != self.search.id)
        query = query.order_by(MeasurementRow.id.desc()).limit(MOST)
        found: Sequence[_Found] = session.execute(query).tuples().all()
        fresh = [each for each in found if each[0] not in self._told]
        self._newest = newest
        self._told = {told for told in (*self._told, *(each[0] for each in found)) if told > newest - OVERLAP}
        return self._usable(session, fresh) if fresh else []

    def _usable(self, session: Session, fresh: Sequence[_Found]) -> list[MeasuredLatency]:
        ids = [measurement for measurement, _, search in fresh if self._is_comparable(session, search)]
        told = _read(session, MeasurementRow.id.in_(ids), self.search.experiment.devices) if ids else []
        real = _real_classes(session)
        return [each for each in told if each.simulated == (each.device not in real)]

    def _is_comparable(self, session: Session, experiment_id: int) -> bool:
        if experiment_id not in self._comparable:
            try:
                other = experiments.get(session, experiment_id).experiment
                self._comparable[experiment_id] = pace(other) == pace(self.search.experiment)
            except (ConfigError, NotFound):  # of another version of the code; deleted meanwhile
                self._comparable[experiment_id] = False
        return self._comparable[experiment_id]


@dataclass(frozen=True)
class LatencyGroup:
    """Latencies that can be compared, the oldest first, one per architecture. experiment: any of the searches'."""

    device: str
    simulated: bool
    experiment: Experiment
    searches: tuple[str, ...]
    latencies: tuple[MeasuredLatency, ...]


def latency_groups(session: Session) -> list[LatencyGroup]:
    """By device class, space and way of measuring; the latest measurements of each."""
    alike: dict[str, list[StoredExperiment]] = {}
    for stored in experiments.list_experiments(session):
        if stored.experiment.measurement is not None:
            alike.setdefault(json.dumps(pace(stored.experiment), sort_keys=True), []).append(stored)
    return [group for stored in alike.values() for group in _groups(session, stored)]


def _groups(session: Session, alike: Sequence[StoredExperiment]) -> Iterable[LatencyGroup]:
    devices = dict.fromkeys(device for stored in alike for device in stored.experiment.devices)
    ids = [stored.id for stored in alike]
    for device in devices:
        for simulated in (False, True):
            condition = CandidateRow.experiment_id.in_(ids) & MeasurementRow.simulated.is_(simulated)
            latencies = newest(_read(session, condition, [device]))
            searches = dict.fromkeys(each.search for each in latencies)
            if latencies:
                yield LatencyGroup(device, simulated, alike[0].experiment, tuple(searches), tuple(latencies))


def _read(session: Session, condition: ColumnElement[bool], devices: Collection[str]) -> list[MeasuredLatency]:
    """The latest that meet the condition, oldest first; each with what was measured before it, or before what it is a
    copy of."""
    measured = (MeasurementRow.id, MeasurementRow.summary, MeasurementRow.simulated)
    of = (EvaluationRow.device, CandidateRow.experiment_id, CandidateRow.architecture)
    original = aliased(MeasurementRow)
    query = _measured(devices, *measured, *of).where(condition)
    query = query.outerjoin(original, original.id == MeasurementRow.reused_from)
    query = query.add_columns(func.coalesce(original.evaluation_id, MeasurementRow.evaluation_id).label("measured_for"))
    rows = session.execute(query.order_by(MeasurementRow.id.desc()).limit(MOST)).all()
    names = {found: experiments.get(session, found).name for found in {row.experiment_id for row in rows}}
    earlier = earlier_summaries(session, {row.measured_for for row in rows})
    return [_latency(row, names[row.experiment_id], earlier.get(row.measured_for, ())) for row in reversed(rows)]


def _measured(devices: Collection[str], *columns: InstrumentedAttribute[Any]) -> Select[Any]:
    """Of untrained networks, by the protocol of today."""
    query = select(*columns).join(EvaluationRow, EvaluationRow.id == MeasurementRow.evaluation_id)
    query = query.join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
    current = MeasurementRow.protocol == PROTOCOL_VERSION
    return query.where(current, EvaluationRow.device.in_(devices), EvaluationRow.rung.is_(None))


def _latency(row: Row[Any], search: str, earlier: Sequence[Mapping[str, Any]]) -> MeasuredLatency:
    """As the front has it."""
    measured = intervals_of([*earlier, row.summary])
    found = pool(measured) if earlier else measured[0]
    return MeasuredLatency(
        id=row.id,
        device=row.device,
        architecture=Architecture.from_dict(row.architecture),
        latency_ms=found.value,
        low_ms=found.low,
        high_ms=found.high,
        simulated=row.simulated,
        search=search,
    )


def _real_classes(session: Session) -> set[str]:
    return set(session.scalars(select(PhoneRow.device).where(PhoneRow.simulated.is_(False)).distinct()))
