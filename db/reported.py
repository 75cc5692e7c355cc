"""Lists of candidates as people and scripts read them: metrics under plain names, for one device class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from db import where_sql
from db.candidates import UNFINISHED
from db.columns import Columns, noisy, simulated
from db.experiments import StoredExperiment
from db.tables import CandidateRow, EvaluationRow, ExperimentRow, MeasurementRow, PointRow
from db.where import parse
from paretofarm.errors import ConfigError
from paretofarm.experiment import Experiment
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import METRICS
from paretofarm.objective import Objective


@dataclass(frozen=True)
class ReportedCandidate:
    """metrics, intervals (95 %): by plain name, of the device class that was asked for, in the order of `METRICS`.

    simulated: whether any measurement or score of that device class was; noisy: whether any measurement was.
    """

    id: int
    number: int
    digest: str
    status: CandidateStatus
    reason: str | None
    origin: str
    parents: tuple[int, ...]
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    simulated: bool
    noisy: bool


def candidates(
    session: Session,
    search: StoredExperiment,
    *,
    device: str | None = None,
    where: str | None = None,
    sort: str | None = None,
    limit: int | None = None,
) -> list[ReportedCandidate]:
    """Candidates of a search, by number unless sorted otherwise.

    device: the search's first where not given. where: see db/where.py. sort: a column, `-column` for the greatest
    first. ConfigError for a device class or column that is not known and a condition that cannot be understood.
    """
    chosen = choose_device(search.experiment, device)
    columns = Columns(chosen, search.experiment.devices)
    query = _query(search.id, chosen)
    if where is not None:
        query = query.where(where_sql.condition(parse(where), columns))
    if sort is not None:
        query = query.order_by(where_sql.order(sort, columns))
    if limit is not None and limit < 1:
        raise ConfigError(f"limit is {limit}, must be at least 1")
    return _read(session, query.order_by(CandidateRow.number).limit(limit), chosen)


def by_id(
    session: Session, search: StoredExperiment, ids: Sequence[int], device: str | None
) -> list[ReportedCandidate]:
    """Those candidates of a search, by number."""
    query = _query(search.id, device).where(CandidateRow.id.in_(ids))
    return _read(session, query.order_by(CandidateRow.number), device)


def choose_device(experiment: Experiment, wanted: str | None) -> str | None:
    """The device class that was asked for, else the first that the search names, None where it names none.

    ConfigError for one that the search does not name.
    """
    if wanted is None:
        return experiment.devices[0] if experiment.devices else None
    if wanted not in experiment.devices:
        known = ", ".join(experiment.devices) or "none"
        raise ConfigError(f"the search {experiment.name!r} knows no device class {wanted!r}; it has {known}")
    return wanted


def objectives_on(experiment: Experiment, device: str | None) -> tuple[Objective, ...]:
    """The objectives that count for one device class: its own and those that are the same everywhere."""
    return tuple(objective for objective in experiment.objectives if objective.device in (None, device))


def simulated_devices(session: Session, experiment_id: int) -> tuple[str, ...]:
    """Device classes of a search of which a simulated phone has measured or scored.

    Of ended candidates the table `points` knows it by an index; the others are few.
    """
    ended = select(PointRow.device).where(PointRow.experiment_id == experiment_id, PointRow.simulated)
    query = select(EvaluationRow.device).join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
    query = query.outerjoin(MeasurementRow, MeasurementRow.evaluation_id == EvaluationRow.id)
    is_simulated = or_(MeasurementRow.simulated, EvaluationRow.details["simulated"].as_boolean())
    mine = and_(CandidateRow.experiment_id == experiment_id, CandidateRow.status.in_(UNFINISHED))
    in_flight = session.scalars(query.where(mine, is_simulated).distinct())
    named = session.scalar(select(ExperimentRow.devices).where(ExperimentRow.id == experiment_id)) or ()
    known = {device for device in named if session.scalar(select(ended.where(PointRow.device == device).exists()))}
    return tuple(sorted(known | {device for device in in_flight if device}))


def for_device(values: Mapping[str, Any], device: str | None) -> dict[str, Any]:
    """Values by metric key reduced to one device class and plain names, in the order of `METRICS`."""
    order = {name: position for position, name in enumerate(METRICS)}
    split = ((*key.partition("@"), value) for key, value in values.items())
    plain = {name: value for name, _, of, value in split if not of or of == device}
    return dict(sorted(plain.items(), key=lambda item: order.get(item[0], len(order))))


def _query(experiment_id: int, device: str | None) -> Select[tuple[CandidateRow, bool, bool]]:
    flags: tuple[ColumnElement[bool], ColumnElement[bool]] = (simulated(device), noisy(device))
    return select(CandidateRow, *flags).where(CandidateRow.experiment_id == experiment_id)


def _read(
    session: Session, query: Select[tuple[CandidateRow, bool, bool]], device: str | None
) -> list[ReportedCandidate]:
    return [reported(*row, device) for row in session.execute(query).tuples()]


def reported(row: CandidateRow, is_simulated: bool, is_noisy: bool, device: str | None) -> ReportedCandidate:
    """A row as people read it."""
    return ReportedCandidate(
        id=row.id,
        number=row.number,
        digest=row.digest,
        status=row.status,
        reason=row.reason,
        origin=row.origin,
        parents=tuple(row.parents),
        metrics=for_device(row.metrics, device),
        intervals={name: (low, high) for name, (low, high) in for_device(row.intervals, device).items()},
        simulated=is_simulated,
        noisy=is_noisy,
    )
