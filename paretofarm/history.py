"""What a search algorithm sees of the search so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from paretofarm.architecture import Architecture
from paretofarm.lifecycle import CandidateStatus
from paretofarm.objective import Constraint, Objective


@dataclass(frozen=True, slots=True)
class Member:
    """A candidate as algorithms see it. Its architecture is looked up in `History.architecture` by those who need it.

    number: within the search, from 0, in order of proposal; metrics: by key (`latency_ms@virtual`), those known so far.
    """

    number: int
    digest: str
    status: CandidateStatus
    metrics: Mapping[str, float]


class History:
    """All candidates proposed so far, running ones too, whatever the order given. Immutable; arrays are computed once.

    Cheap to build for ten thousand members. `architectures` maps numbers to architectures and is asked for the few
    parents of a proposal only, so it may well load them when asked.
    """

    def __init__(
        self,
        members: Sequence[Member],
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint],
        architectures: Mapping[int, Architecture],
    ) -> None:
        self.members = tuple(sorted(members, key=lambda member: member.number))
        self.objectives = tuple(objectives)
        self.constraints = tuple(constraints)
        self._architectures = architectures

    @property
    def proposed(self) -> int:
        """Number of candidates proposed so far."""
        return len(self.members)

    @cached_property
    def digests(self) -> frozenset[str]:
        """Digests of everything ever proposed, failed and infeasible ones included."""
        return frozenset(member.digest for member in self.members)

    @property
    def feasible(self) -> tuple[Member, ...]:
        """Complete members with every objective that keep all constraints: the only ones that may become parents."""
        return self._judged[0]

    @property
    def points(self) -> np.ndarray:
        """Objectives of the feasible members, every one minimised: float64, shape [feasible, objectives], no NaN."""
        return self._judged[1]

    @cached_property
    def _judged(self) -> tuple[tuple[Member, ...], np.ndarray]:
        complete = [member for member in self.members if member.status is CandidateStatus.COMPLETE]
        points = self._minimised(complete)
        kept = (self._violations(complete) == 0) & ~np.isnan(points).any(axis=1)
        points = points[kept]
        points.flags.writeable = False
        return tuple(member for member, keep in zip(complete, kept.tolist(), strict=True) if keep), points

    def architecture(self, number: int) -> Architecture:
        return self._architectures[number]

    def _violations(self, members: Sequence[Member]) -> np.ndarray:
        total = np.zeros(len(members))
        for constraint in self.constraints:
            total += constraint.violations(_column(members, constraint.key))
        return total

    def _minimised(self, members: Sequence[Member]) -> np.ndarray:
        columns = [objective.sign * _column(members, objective.key) for objective in self.objectives]
        return np.stack(columns, axis=1)


def _column(members: Sequence[Member], key: str) -> np.ndarray:
    """The metric of each member, NaN where it is missing."""
    return np.array([member.metrics.get(key, np.nan) for member in members], dtype=np.float64)
