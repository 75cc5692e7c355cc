"""How good a search's front was after so many evaluations, so much time, so much training; and random search's."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from db import experiments
from db.columns import PointColumns
from db.experiments import StoredExperiment
from db.point_front import axes_of, feasible, front_device
from db.tables import ExperimentRow, PointRow
from paretofarm.experiment import Experiment
from paretofarm.hypervolume_course import Yardstick, course, yardstick

MOST = 100_000
"""Candidates that are looked at, the first of a search: its front hardly moves after so many."""
SAME = ("search_space", "objectives", "constraints", "training", "measurement")
"""What a control must have in common with the search."""


@dataclass(frozen=True)
class Step:
    """The front got better. evaluations: feasible candidates so far; seconds: since the search began; train_s: seconds
    of training so far; value: hypervolume as a multiple of that of the search's first eight."""

    evaluations: int
    seconds: float
    train_s: float
    value: float


@dataclass(frozen=True)
class Curve:
    """steps: ascending. evaluations, seconds, train_s: how far it has come by now."""

    search: str
    algorithm: str
    steps: tuple[Step, ...]
    evaluations: int
    seconds: float
    train_s: float


@dataclass(frozen=True)
class Hypervolume:
    """own: None while there are fewer than eight feasible candidates, or where there is one objective only.

    controls: random searches of the same space for the same objectives, measured by the same yardstick.
    """

    device: str | None
    own: Curve | None
    controls: tuple[Curve, ...] = ()


@dataclass(frozen=True)
class _Past:
    """points: minimised, in the order in which candidates finished; seconds, train_s: of each."""

    points: np.ndarray
    seconds: np.ndarray
    train_s: np.ndarray


def hypervolume(session: Session, search: StoredExperiment, device: str | None = None) -> Hypervolume:
    """ConfigError for an unknown device class."""
    chosen = front_device(search, device)
    past = _past(session, search, chosen)
    by = yardstick(past.points)
    if by is None:
        return Hypervolume(chosen, None)
    controls = [other for other in _controls(session, search) if other.id != search.id]
    curves = tuple(_curve(other, _past(session, other, chosen), by) for other in controls)
    return Hypervolume(chosen, _curve(search, past, by), curves)


def _past(session: Session, search: StoredExperiment, device: str | None) -> _Past:
    columns = PointColumns(device, search.experiment.devices)
    axes = axes_of(search, device, (), columns)
    values = [columns[axis.name].expression for axis in axes]
    query = select(PointRow.finished_at, PointRow.train_s, *values)
    query = query.where(and_(*feasible(search, device, columns)), *(value.is_not(None) for value in values))
    query = query.where(PointRow.finished_at.is_not(None)).order_by(PointRow.finished_at, PointRow.number).limit(MOST)
    rows = session.execute(query).all()
    signs = np.array([axis.sign for axis in axes])
    points = np.array([row[2:] for row in rows], dtype=np.float64).reshape(len(rows), len(axes)) * signs
    seconds = np.array([(row[0] - search.created_at).total_seconds() for row in rows])
    return _Past(points, seconds, np.cumsum([row[1] for row in rows]))


def _curve(search: StoredExperiment, past: _Past, by: Yardstick) -> Curve:
    steps = tuple(
        Step(count, float(past.seconds[count - 1]), float(past.train_s[count - 1]), value)
        for count, value in course(past.points, by)
    )
    count = len(past.points)
    seconds, train_s = (float(past.seconds[-1]), float(past.train_s[-1])) if count else (0.0, 0.0)
    return Curve(search.name, search.experiment.algorithm.type, steps, count, seconds, train_s)


def _controls(session: Session, search: StoredExperiment) -> Sequence[StoredExperiment]:
    kind = ExperimentRow.config["algorithm"]["type"].astext
    query = select(ExperimentRow.id).where(kind == "random", ExperimentRow.devices == list(search.experiment.devices))
    found = [experiments.get(session, each) for each in session.scalars(query.order_by(ExperimentRow.id)).all()]
    return [other for other in found if _is_alike(other.experiment, search.experiment)]


def _is_alike(one: Experiment, other: Experiment) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in SAME)
