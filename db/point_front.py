"""Fronts of any metrics with any conditions, from the table `points`: computed on read, of a million candidates too."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.orm import Session

from db import where_sql
from db.axes import Axis, chosen_axes, default_axes
from db.columns import PointColumns
from db.experiments import StoredExperiment
from db.reported import ReportedCandidate, by_id, choose_device, objectives_on
from db.tables import PointRow
from db.where import parse
from paretofarm import pareto
from paretofarm.errors import ConfigError
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import METRICS


@dataclass(frozen=True)
class FrontRequest:
    """metrics: which to look at, the search's objectives where none are named. confident: members that an overlap of
    intervals leaves in doubt are shown too, on both sides."""

    device: str | None = None
    metrics: Sequence[str] = ()
    where: str | None = None
    confident: bool = False


@dataclass(frozen=True)
class PointFront:
    """members: from the best to the worst in the last axis. doubtful: ids of those that only confidence lets in."""

    device: str | None
    axes: tuple[Axis, ...]
    members: tuple[ReportedCandidate, ...]
    doubtful: frozenset[int] = frozenset()


def point_front(session: Session, search: StoredExperiment, request: FrontRequest) -> PointFront:
    """Complete candidates that keep the search's constraints and the condition, and that none of them dominates.

    ConfigError for a device class or metric that is not known, and a condition that cannot be understood.
    """
    device = front_device(search, request.device)
    columns = PointColumns(device, search.experiment.devices)
    axes = axes_of(search, device, request.metrics, columns)
    condition = and_(*feasible(search, device, columns))
    if request.where is not None:
        condition = and_(condition, where_sql.condition(parse(request.where), columns))
    ids, lows, highs = _bounds(session, axes, columns, condition, confident=request.confident)
    sure = {ids[index] for index in pareto.front((lows + highs) / 2)} if ids else set()
    shown = {ids[index] for index in undominated(lows, highs)} if request.confident and ids else sure
    members = by_id(session, search, sorted(shown), device)
    return PointFront(device, axes, _ordered(members, axes), frozenset(shown - sure))


def front_device(search: StoredExperiment, wanted: str | None) -> str | None:
    """Not one that only constraints name, unless it is asked for: nothing is sought there."""
    if wanted is None:
        sought = [objective.device for objective in search.experiment.objectives if objective.device]
        return sought[0] if sought else choose_device(search.experiment, None)
    return choose_device(search.experiment, wanted)


def axes_of(
    search: StoredExperiment, device: str | None, metrics: Sequence[str], columns: PointColumns
) -> tuple[Axis, ...]:
    if metrics:
        return chosen_axes(search.experiment, device, metrics, columns)
    axes = default_axes(objectives_on(search.experiment, device))
    if not axes:
        raise ConfigError(f"no objective of the search {search.name!r} is about {device!r}: name metrics")
    return axes


def feasible(search: StoredExperiment, device: str | None, columns: PointColumns) -> list[ColumnElement[bool]]:
    """Complete, with every constraint kept."""
    conditions = [
        PointRow.experiment_id == search.id,
        PointRow.device == (device or ""),
        PointRow.status == CandidateStatus.COMPLETE,
    ]
    for constraint in search.experiment.constraints:
        value = columns[constraint.key].expression
        if constraint.at_most is not None:
            conditions.append(value <= constraint.at_most)
        if constraint.at_least is not None:
            conditions.append(value >= constraint.at_least)
    return conditions


def undominated(lows: np.ndarray, highs: np.ndarray) -> np.ndarray:
    """Indices of the points that no other dominates for sure: whose best case no other's worst case beats.

    Shapes [points, axes], minimised. Only members of the front of worst cases can beat anybody.
    """
    beating = highs[pareto.front(highs)]
    kept = [
        index
        for index, low in enumerate(lows)
        if not ((beating <= low).all(axis=1) & (beating < low).any(axis=1)).any()
    ]
    return np.array(kept, dtype=np.int64)


def _bounds(
    session: Session, axes: Sequence[Axis], columns: PointColumns, condition: ColumnElement[bool], *, confident: bool
) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Ids, and per axis the best and the worst that a candidate may be, minimised, shape [candidates, axes]."""
    rows = session.execute(_points(axes, columns, condition, confident=confident)).tuples().all()
    values = np.array([row[1:] for row in rows], dtype=np.float64).reshape(len(rows), 2 * len(axes))
    lows, highs = values[:, : len(axes)], values[:, len(axes) :]
    return [row[0] for row in rows], np.minimum(lows, highs), np.maximum(lows, highs)


def _points(
    axes: Sequence[Axis], columns: PointColumns, condition: ColumnElement[bool], *, confident: bool
) -> Select[tuple[int, ...]]:
    values = [columns[axis.name].expression * axis.sign for axis in axes]
    lows, highs = list(values), list(values)
    if confident:
        for place, axis in enumerate(axes):
            plain, _, of = axis.name.partition("@")
            if plain == "latency_ms":
                suffix = f"@{of}" if of else ""
                ends = [columns[f"latency_{end}_ms{suffix}"].expression * axis.sign for end in ("low", "high")]
                lows[place], highs[place] = ends
    known = and_(*(columns[axis.name].expression.is_not(None) for axis in axes))
    return select(PointRow.candidate_id, *lows, *highs).where(condition, known)


def _ordered(members: Sequence[ReportedCandidate], axes: Sequence[Axis]) -> tuple[ReportedCandidate, ...]:
    """By the last axis where it is a plain metric of the device class, else by number."""
    last = axes[-1]
    name = last.name.partition("@")[0]
    if name not in METRICS or any(name not in member.metrics for member in members):
        return tuple(members)
    return tuple(sorted(members, key=lambda member: last.sign * member.metrics[name]))
