"""Which candidates' artifacts nobody may remove: members of any front, whatever one looks at."""

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.experiments import list_experiments
from db.front import POINTS
from db.reported import objectives_on
from db.tables import CandidateRow
from paretofarm import pareto
from paretofarm.experiment import Experiment
from paretofarm.objective import Objective


def front_members(session: Session) -> set[int]:
    """Ids of the members of all fronts: of every search, for every device class, and for every pair of objectives.

    A pair may be of two device classes: somebody may plot it.
    """
    found: set[int] = set()
    for search in list_experiments(session):
        metrics = _feasible(session, search.id)
        for objectives in _views(search.experiment):
            found |= _front(metrics, objectives)
    return found


def _feasible(session: Session, experiment_id: int) -> dict[int, Mapping[str, float]]:
    """Metrics of the complete candidates that keep all constraints, by id."""
    feasible = select(POINTS.c.candidate_id).where(POINTS.c.experiment_id == experiment_id)
    query = select(CandidateRow.id, CandidateRow.metrics).where(CandidateRow.id.in_(feasible))
    return dict(session.execute(query).tuples().all())


def _views(experiment: Experiment) -> Iterator[tuple[Objective, ...]]:
    """Sets of objectives that span a front: those of each device class, and every two."""
    devices = {objective.device for objective in experiment.objectives}
    for device in devices:
        yield objectives_on(experiment, device)
    yield from combinations(experiment.objectives, 2)


def _front(metrics: Mapping[int, Mapping[str, float]], objectives: tuple[Objective, ...]) -> set[int]:
    keys = [objective.key for objective in objectives]
    ids = [candidate_id for candidate_id, known in metrics.items() if all(key in known for key in keys)]
    if not ids or not objectives:
        return set()
    points = [[objective.sign * metrics[each][objective.key] for objective in objectives] for each in ids]
    return {ids[index] for index in pareto.front(np.array(points, dtype=np.float64))}
