"""How good a search's front is by now, from the table `points`: what `db.course` says, of a million candidates too."""

import numpy as np
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from db.axes import default_axes
from db.columns import PointColumns
from db.contenders import contenders
from db.course import FIRST, Standing
from db.experiments import StoredExperiment
from db.point_front import feasible
from db.reported import choose_device
from db.tables import PointRow
from paretofarm import pareto


def standing(session: Session, search: StoredExperiment, complete: int) -> Standing:
    """complete: how many candidates are. All objectives count, of all device classes."""
    experiment = search.experiment
    device = choose_device(experiment, None)
    columns = PointColumns(device, experiment.devices)
    axes = default_axes(experiment.objectives)
    condition = and_(*feasible(search, device, columns))
    found = contenders(session, axes, columns, condition)
    if not found.ids:
        return Standing(complete, 0, None, None, {})
    front = found.values[pareto.front(found.values)]
    signs = np.array([axis.sign for axis in axes])
    lows = (front.min(axis=0) * signs).tolist()
    bests = {objective.key: low for objective, low in zip(experiment.objectives, lows, strict=True)}
    if len(axes) == 1:
        return Standing(complete, len(front), None, bests[experiment.objectives[0].key], bests)
    values = [columns[axis.name].expression for axis in axes]
    query = select(*values).where(condition, *(value.is_not(None) for value in values))
    first = np.array(session.execute(query.order_by(PointRow.number).limit(FIRST)).all(), dtype=np.float64) * signs
    return Standing(complete, len(front), _improvement(front, first), None, bests)


def _improvement(front: np.ndarray, first: np.ndarray) -> float | None:
    """As a multiple of the first ones' hypervolume, from their nadir."""
    if len(first) < FIRST:
        return None
    nadir = first.max(axis=0)
    before = pareto.hypervolume(first, nadir)
    return pareto.hypervolume(front, nadir) / before if before > 0 else None
