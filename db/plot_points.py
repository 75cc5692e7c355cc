"""All complete candidates of a search as columns of numbers: what a scatter plot of twenty thousand is drawn from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Double, cast, func, select
from sqlalchemy.orm import Session

from db.axes import Axis
from db.columns import PointColumns
from db.experiments import StoredExperiment
from db.point_front import axes_of, front_device
from db.tables import CandidateRow, PointRow
from paretofarm.lifecycle import CandidateStatus

MOST = 50_000
OWN: Mapping[str, ColumnElement[Any]] = {
    "id": PointRow.candidate_id.expression,
    "number": PointRow.number.expression,
    "generation": PointRow.generation.expression,
    "train_s": PointRow.train_s.expression,
    "finished_at": cast(func.extract("epoch", PointRow.finished_at), Double),
    "simulated": PointRow.simulated.expression,
    "noisy": PointRow.noisy.expression,
    "latency_low_ms": PointRow.latency_low_ms.expression,
    "latency_high_ms": PointRow.latency_high_ms.expression,
}


@dataclass(frozen=True)
class PlotPoints:
    """columns: by name, each with one value per candidate, in the order in which they finished; None where unknown.

    finished_at: seconds since 1970; train_s: seconds of training. The columns of `OWN` and the axes, which every
    candidate has. pinned: ids. total: how many there are; where that is more than `MOST` only the latest are given.
    """

    device: str | None
    axes: tuple[Axis, ...]
    columns: Mapping[str, Sequence[Any]]
    pinned: tuple[int, ...]
    total: int


def plot_points(
    session: Session, search: StoredExperiment, *, device: str | None = None, metrics: Sequence[str] = ()
) -> PlotPoints:
    """metrics: for the axes; the search's objectives where none are named. ConfigError for unknown ones."""
    chosen = front_device(search, device)
    columns = PointColumns(chosen, search.experiment.devices)
    axes = axes_of(search, chosen, metrics, columns)
    wanted = {**OWN, **{axis.name: columns[axis.name].expression for axis in axes}}
    mine = (
        PointRow.experiment_id == search.id,
        PointRow.device == (chosen or ""),
        PointRow.status == CandidateStatus.COMPLETE,
        *(wanted[axis.name].is_not(None) for axis in axes),
    )
    query = select(*(expression.label(name) for name, expression in wanted.items())).where(*mine)
    latest = session.execute(query.order_by(PointRow.number.desc()).limit(MOST)).all()
    rows = sorted(latest, key=lambda row: (row.finished_at or 0.0, row.number))
    total = len(rows) if len(rows) < MOST else session.scalar(select(func.count()).select_from(PointRow).where(*mine))
    values = map(list, zip(*rows, strict=True)) if rows else ([] for _ in wanted)
    return PlotPoints(chosen, axes, dict(zip(wanted, values, strict=True)), _pinned(session, search), total or 0)


def _pinned(session: Session, search: StoredExperiment) -> tuple[int, ...]:
    query = select(CandidateRow.id).where(CandidateRow.experiment_id == search.id, CandidateRow.pinned_at.is_not(None))
    return tuple(session.scalars(query.order_by(CandidateRow.id)))
