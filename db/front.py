"""The Pareto front of a search for one device class: computed on read, never stored."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import column, select, table
from sqlalchemy.orm import Session

from db.experiments import StoredExperiment
from db.reported import ReportedCandidate, by_id, choose_device, objectives_on
from paretofarm import pareto
from paretofarm.errors import ConfigError
from paretofarm.experiment import Experiment
from paretofarm.objective import Objective

POINTS = table(
    "objective_points",
    *(column(name) for name in ("experiment_id", "device", "candidate_id", "x1", "x2", "x3")),
)


@dataclass(frozen=True)
class Front:
    """objectives: those that count on the device class; members: from the best to the worst in the last of them."""

    device: str | None
    objectives: tuple[Objective, ...]
    members: tuple[ReportedCandidate, ...]


def front(session: Session, search: StoredExperiment, device: str | None = None) -> Front:
    """Members of the front: complete, all constraints kept, dominated by nobody. Of equal ones all are members.

    device: the first device class that the objectives name where not given. ConfigError for an unknown one.
    """
    chosen = _choose(search.experiment, device)
    objectives = objectives_on(search.experiment, chosen)
    ids, points = _points(session, search, chosen, len(objectives))
    members = by_id(session, search, [ids[index] for index in pareto.front(points)], chosen)
    last = objectives[-1]
    ordered = sorted(members, key=lambda member: last.sign * member.metrics[last.name])
    return Front(chosen, objectives, tuple(ordered))


def _choose(experiment: Experiment, device: str | None) -> str | None:
    """A device class that only constraints name has no front of its own: nothing is sought there."""
    chosen = choose_device(experiment, device)
    sought = tuple(dict.fromkeys(objective.device for objective in experiment.objectives if objective.device))
    if chosen in sought or not sought:
        return chosen
    if device is None:
        return sought[0]
    raise ConfigError(
        f"no objective of the search {experiment.name!r} is about {device!r}, only of {', '.join(sought)}"
    )


def _points(
    session: Session, search: StoredExperiment, device: str | None, dimensions: int
) -> tuple[list[int], np.ndarray]:
    """Ids of the feasible candidates, and their objectives, minimised, shape [candidates, objectives].

    Ranked here rather than by the view `pareto_front`, whose three-objective case compares all pairs.
    """
    named = device if any(objective.device for objective in search.experiment.objectives) else None
    query = select(POINTS.c.candidate_id, POINTS.c.x1, POINTS.c.x2, POINTS.c.x3)
    query = query.where(POINTS.c.experiment_id == search.id, POINTS.c.device.is_not_distinct_from(named))
    rows = session.execute(query.order_by(POINTS.c.candidate_id)).tuples().all()
    values = np.array([row[1:] for row in rows], dtype=np.float64).reshape(len(rows), 3)
    return [row[0] for row in rows], values[:, :dimensions]
