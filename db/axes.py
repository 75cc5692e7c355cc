"""Which metrics a front or a plot is about: by default a search's objectives, else any two or three."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.columns import Columns
from paretofarm.errors import ConfigError
from paretofarm.experiment import Experiment
from paretofarm.metrics import METRICS, Goal, metric_key
from paretofarm.objective import Objective

MOST = 3


@dataclass(frozen=True)
class Axis:
    """One metric as a direction to go. name: as the user said it, `latency_ms` or `latency_ms@CLASS`."""

    name: str
    goal: Goal

    @property
    def sign(self) -> float:
        """Factor that turns the metric into something to minimise."""
        return -1.0 if self.goal is Goal.MAXIMIZE else 1.0


def default_axes(objectives: Sequence[Objective]) -> tuple[Axis, ...]:
    return tuple(Axis(objective.key, objective.goal) for objective in objectives)


def chosen_axes(experiment: Experiment, device: str | None, names: Sequence[str], columns: Columns) -> tuple[Axis, ...]:
    """In the search's own direction where it has one for that metric. ConfigError for what is no metric."""
    if not 1 <= len(names) <= MOST or len(set(names)) < len(names):
        raise ConfigError(f"a front has one to {MOST} different metrics, not {', '.join(names)}")
    return tuple(Axis(name, _goal(experiment, device, name, columns)) for name in names)


def _goal(experiment: Experiment, device: str | None, name: str, columns: Columns) -> Goal:
    plain, _, of = name.partition("@")
    columns[name]  # says what is wrong with it
    if plain not in METRICS:
        raise ConfigError(f"{name} is no metric; known are {', '.join(METRICS)}")
    key = metric_key(plain, (of or device) if METRICS[plain].per_device else None)
    goals = {objective.key: objective.goal for objective in experiment.objectives}
    return goals.get(key, METRICS[plain].natural_goal)
