"""How far a search has come, in numbers: who is on the front, and how much better it has become."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy.orm import Session

from db import candidates
from db.racing import repetitions
from paretofarm.experiment import Experiment
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.pareto import front, hypervolume

FIRST = 8


@dataclass(frozen=True)
class Standing:
    """improvement: the front's hypervolume as a multiple of that of the first eight complete candidates.

    Both are measured from the nadir of those eight (the worst value of each objective among them), which then never
    moves: the number only grows. None before there are eight, or where they do not differ in every objective. With one
    objective `best` is its best value instead. bests: of each objective by key, over feasible candidates.
    """

    complete: int
    front_size: int
    improvement: float | None
    best: float | None
    bests: Mapping[str, float] = field(default_factory=dict)


@dataclass
class Course:
    """Follows one search; ended candidates are read once, and again where any is measured once more."""

    experiment_id: int
    experiment: Experiment
    _ended: dict[int, Member] = field(default_factory=dict)
    _first: np.ndarray | None = None
    _repetitions: tuple[int, int] = (0, 0)

    def standing(self, session: Session) -> Standing:
        """As of now."""
        repeated = repetitions(session, self.experiment_id)
        if repeated != self._repetitions:
            self._ended, self._repetitions = {}, repeated
        for member in candidates.members(session, self.experiment_id, known=self._ended):
            if member.status.is_final:
                self._ended[member.number] = member
        history = History(list(self._ended.values()), self.experiment.objectives, self.experiment.constraints, {})
        return self._judge(history)

    def _judge(self, history: History) -> Standing:
        points = history.points
        complete = sum(member.status is CandidateStatus.COMPLETE for member in history.members)
        size = len(front(points)) if len(points) else 0
        if self._first is None and len(points) >= FIRST:
            self._first = points[:FIRST].copy()
        bests = _bests(history) if len(points) else {}
        if len(history.objectives) == 1:
            return Standing(complete, size, None, bests.get(history.objectives[0].key), bests)
        return Standing(complete, size, _improvement(points, self._first), None, bests)


def _bests(history: History) -> dict[str, float]:
    lows = history.points.min(axis=0)
    return {objective.key: float(low * objective.sign) for objective, low in zip(history.objectives, lows, strict=True)}


def _improvement(points: np.ndarray, first: np.ndarray | None) -> float | None:
    if first is None:
        return None
    nadir = first.max(axis=0)
    before = hypervolume(first, nadir)
    return hypervolume(points, nadir) / before if before > 0 else None
