"""At which of its rungs a search is looked at: what a model of trained metrics is about while few are trained fully."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from paretofarm.history import History, Member
from paretofarm.metrics import METRICS, epochs_of, rung_key, trained_counterpart
from paretofarm.objective import Objective

ENOUGH = 6
"""Members that must have come as far as a rung."""


@dataclass(frozen=True)
class View:
    """rung: None for the last; members: those that came as far; points: their objectives, minimised, [members, …]."""

    rungs: Sequence[int]
    rung: int | None
    members: Sequence[Member]
    points: np.ndarray

    @classmethod
    def of(cls, history: History) -> "View":
        """At the highest rung that enough have come to; at the last where there is no such rung, or only one."""
        if len(history.feasible) < ENOUGH:
            for rung in reversed(range(len(history.rungs) - 1)):
                standings = history.standings(rung)
                if len(standings.members) >= ENOUGH:
                    return cls(history.rungs, rung, standings.members, standings.points)
        return cls(history.rungs, None, history.feasible, history.points)

    def key(self, objective: Objective) -> str:
        """Under which the objective's value at this rung is kept."""
        if self.rung is None or not objective.metric.trained:
            return objective.key
        return rung_key(trained_counterpart(objective.name), self.rungs[self.rung])

    def course(self, key: str) -> list[str]:
        """Under which the metric is kept at each rung from the first up to what the key says."""
        name, epochs = key.partition("@")[0], epochs_of(key)
        counterpart = trained_counterpart(name)
        if not METRICS[name].trained:
            return [key]
        if epochs is not None:
            below = self.rungs[: self.rungs.index(epochs)]
        else:
            below = self.rungs if counterpart != name and len(self.rungs) > 1 else self.rungs[:-1]
        return [*(rung_key(counterpart, each) for each in below), key]

    def seen(self, member: Member) -> Member:
        """Without trained metrics of a lower rung where they stand for those of the last: those are always worse."""
        if member.rung is None or member.rung >= len(self.rungs) - 1:
            return member
        return replace(member, metrics={key: value for key, value in member.metrics.items() if not _final(key)})


def _final(key: str) -> bool:
    return METRICS[key.partition("@")[0]].trained and epochs_of(key) is None
