"""What a search algorithm sees of the search so far."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress
from operator import attrgetter, is_not
from typing import Protocol, runtime_checkable

import numpy as np

from paretofarm.architecture import Architecture
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import rung_key, trained_counterpart
from paretofarm.objective import Constraint, Objective

_STANDING = (CandidateStatus.RUNNING, CandidateStatus.PAUSED, CandidateStatus.COMPLETE)


@dataclass(frozen=True, slots=True)
class Member:
    """A candidate as algorithms see it. Its architecture is looked up in `History.architecture` by those who need it.

    number: within the search, from 0, in order of proposal; metrics: by key (`latency_ms@virtual`), those known so far,
    trained ones of the highest rung; those of a search with several rungs also as they were at each, under
    `rung_key(name, epochs)`. rung: the highest that it was trained to, from 0; None where it was not trained.
    search: where it is another, earlier one (`History.observations`). intervals: 95 %, of those metrics that have one.
    """

    number: int
    digest: str
    status: CandidateStatus
    metrics: Mapping[str, float]
    rung: int | None = None
    search: str | None = None
    intervals: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Standings:
    """Who has come as far as a rung, and how good each was there.

    points: minimised, float64, shape [members, objectives], no NaN.
    """

    members: tuple[Member, ...]
    points: np.ndarray


@dataclass(frozen=True)
class _Known:
    """What a history has worked out of its members: float64 [members, objectives], minimised, NaN where infeasible."""

    members: tuple[Member, ...]
    scores: np.ndarray
    digests: frozenset[str]


_NOTHING = _Known((), np.empty((0, 1)), frozenset())


@runtime_checkable
class Prefetching(Protocol):
    """Architectures that are cheaper to read at once."""

    def prefetch(self, numbers: Sequence[int]) -> None: ...


class History:
    """All candidates proposed so far, running ones too, whatever the order given. Immutable; arrays are computed once.

    Cheap to build for ten thousand members. `architectures` maps numbers to architectures and is asked for the few
    parents of a proposal only, so it may well load them when asked. rungs: total epochs of training at each, empty
    where nothing is trained. before: of the same search, earlier; only what is not the same object as there is looked
    at, which saves most of the time.
    """

    def __init__(
        self,
        members: Sequence[Member],
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint],
        architectures: Mapping[int, Architecture],
        rungs: Sequence[int] = (),
        observations: Sequence[Member] = (),
        measured: Sequence[Member] = (),
        before: "History | None" = None,
    ) -> None:
        self.members = tuple(sorted(members, key=attrgetter("number")))
        self.objectives = tuple(objectives)
        self.constraints = tuple(constraints)
        self.rungs = tuple(rungs)
        self._observations = tuple(observations)
        self._measured = tuple(measured)
        self._passed_over: frozenset[str] = frozenset()
        self._architectures = architectures
        self._standings: dict[int, Standings] = {}
        alike = before is not None and (before.objectives, before.constraints) == (self.objectives, self.constraints)
        self._known = before._worked_out if before is not None and alike else _NOTHING

    @property
    def proposed(self) -> int:
        """Number of candidates proposed so far."""
        return len(self.members)

    @cached_property
    def digests(self) -> frozenset[str]:
        """Digests of everything ever proposed, failed and infeasible ones included, and of what was passed over."""
        return self._own_digests | self._passed_over if self._passed_over else self._own_digests

    @cached_property
    def _own_digests(self) -> frozenset[str]:
        known, changed = self._changes
        return known.digests.union(self.members[place].digest for place in changed)

    def passing_over(self, digests: Iterable[str]) -> "History":
        """The same, with some more architectures that are not to be proposed."""
        other = copy(self)
        other._passed_over = self._passed_over.union(digests)
        other.__dict__.pop("digests", None)
        return other

    @cached_property
    def observations(self) -> tuple[Member, ...]:
        """Members of earlier searches (`warm_start:`) that this one has not proposed, numbered -1, -2, ….

        They have those metrics only that mean the same here: seldom all objectives. They are none of this search's
        members, in no front, and may be proposed; `architecture` knows them.
        """
        return tuple(member for member in self._observations if member.digest not in self._own_digests)

    def measuring(self, members: Sequence[Member]) -> "History":
        """The same, with these `measured` elsewhere."""
        other = copy(self)
        other._measured = tuple(members)
        other.__dict__.pop("measured", None)
        return other

    @cached_property
    def measured(self) -> tuple[Member, ...]:
        """Architectures that this search has not proposed, but another has measured on one of its device classes.

        Nothing but their latencies is known; what observations tell is left out. Numbered below 0, as these are, and
        beside them; only models look at them.
        """
        told = {(member.digest, key) for member in self.observations for key in member.metrics}
        return tuple(
            member
            for member in self._measured
            if member.digest not in self._own_digests
            and not all((member.digest, key) in told for key in member.metrics)
        )

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
        kept = np.asarray(~np.isnan(self._scores).any(axis=1))
        points = self._scores[kept]
        points.flags.writeable = False
        return tuple(compress(self.members, kept.tolist())), points

    @cached_property
    def _scores(self) -> np.ndarray:
        """Float64, shape [members, objectives], minimised; NaN for whoever is not feasible."""
        known, changed = self._changes
        scores = np.empty((len(self.members), len(self.objectives)))
        scores[: len(known.scores)] = known.scores
        scores[changed] = self._scored([self.members[place] for place in changed])
        return scores

    def _scored(self, members: Sequence[Member]) -> np.ndarray:
        keys = {each.key for each in (*self.objectives, *self.constraints)}
        columns = {key: _column(members, key) for key in keys}
        scores = np.stack([objective.sign * columns[objective.key] for objective in self.objectives], axis=1)
        status = CandidateStatus.COMPLETE  # looked up for each member it would cost as much as the rest
        scores[[member.status is not status for member in members]] = np.nan
        for constraint in self.constraints:
            scores[constraint.violations(columns[constraint.key]) > 0] = np.nan
        return scores

    @cached_property
    def _changes(self) -> tuple[_Known, list[int]]:
        """What is known already, and the places of the members that it does not know as they are."""
        known = self._known.members
        changed = list(compress(range(len(known)), map(is_not, self.members, known)))
        others = any(self.members[place].digest != known[place].digest for place in changed)
        if others or len(known) > len(self.members):
            return _NOTHING, list(range(len(self.members)))
        return self._known, [*changed, *range(len(known), len(self.members))]

    @property
    def _worked_out(self) -> _Known:
        """The newest; a history that nobody has asked anything knows what the one before it did."""
        if "_scores" in self.__dict__ and "_own_digests" in self.__dict__:
            return _Known(self.members, self._scores, self._own_digests)
        return self._known

    def standings(self, rung: int) -> Standings:
        """Members that came as far as the rung, by number, with their objectives as they were there.

        Those that train on or are complete are among them, not those that failed or are infeasible. An objective that
        is scored on a device, which happens after the last rung only, is stood for by its counterpart in training.
        """
        if rung not in self._standings:
            self._standings[rung] = self._standings_at(rung)
        return self._standings[rung]

    def _standings_at(self, rung: int) -> Standings:
        came = [member for member in self.members if member.status in _STANDING and self._reached(member) >= rung]
        points = np.stack([self._column_at(came, objective, rung) for objective in self.objectives], axis=1)
        known = ~np.isnan(points).any(axis=1)
        return Standings(tuple(member for member, is_known in zip(came, known, strict=True) if is_known), points[known])

    def _reached(self, member: Member) -> int:
        """-1: not trained. Candidates of an older version of the code that are complete have no rung on record."""
        if member.rung is None:
            return len(self.rungs) - 1 if member.status is CandidateStatus.COMPLETE else -1
        return member.rung

    def _column_at(self, members: Sequence[Member], objective: Objective, rung: int) -> np.ndarray:
        if not objective.metric.trained or rung == len(self.rungs) - 1:
            return objective.sign * _column(members, objective.key)
        return objective.sign * _column(members, rung_key(trained_counterpart(objective.name), self.rungs[rung]))

    def architecture(self, number: int) -> Architecture:
        return self._architectures[number]

    def architectures_of(self, numbers: Sequence[int]) -> list[Architecture]:
        """Several at once, in one look-up where they lie in a database."""
        if isinstance(self._architectures, Prefetching):
            self._architectures.prefetch(numbers)
        return [self._architectures[number] for number in numbers]


def _column(members: Sequence[Member], key: str) -> np.ndarray:
    """The metric of each member, NaN where it is missing."""
    missing = np.nan
    return np.array([member.metrics.get(key, missing) for member in members], dtype=np.float64)
