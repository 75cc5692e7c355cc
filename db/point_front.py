"""Fronts of any metrics with any conditions, from the table `points`: computed on read, of a million candidates too."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import Session

from db import where_sql
from db.axes import Axis, chosen_axes, default_axes
from db.columns import PointColumns
from db.contenders import contenders
from db.experiments import StoredExperiment
from db.reported import ReportedCandidate, by_id, choose_device, objectives_on
from db.tables import PointRow
from db.where import parse
from paretofarm import pareto
from paretofarm.doubt import in_doubt
from paretofarm.errors import ConfigError
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import METRICS

MOST_DOUBTFUL = 1000


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
    """members: from the best to the worst in the last axis. doubtful: ids of those that only confidence lets in.

    left_out: how many more are in doubt, further from the front than `MOST_DOUBTFUL` others.
    """

    device: str | None
    axes: tuple[Axis, ...]
    members: tuple[ReportedCandidate, ...]
    doubtful: frozenset[int] = frozenset()
    left_out: int = 0


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
    found = contenders(session, axes, columns, condition, with_intervals=request.confident)
    sure = pareto.front(found.values) if found.ids else np.empty(0, dtype=np.int64)
    doubtful = in_doubt(found.values, found.lows, found.highs, sure) if request.confident else sure[:0]
    shown = doubtful[:MOST_DOUBTFUL]
    ids = [found.ids[index] for index in (*sure, *shown)]
    members = by_id(session, search, sorted(ids), device)
    named = frozenset(found.ids[index] for index in shown)
    return PointFront(device, axes, _ordered(members, axes), named, len(doubtful) - len(shown))


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


def _ordered(members: Sequence[ReportedCandidate], axes: Sequence[Axis]) -> tuple[ReportedCandidate, ...]:
    """By the last axis where it is a plain metric of the device class, else by number."""
    last = axes[-1]
    name = last.name.partition("@")[0]
    if name not in METRICS or any(name not in member.metrics for member in members):
        return tuple(members)
    return tuple(sorted(members, key=lambda member: last.sign * member.metrics[name]))
