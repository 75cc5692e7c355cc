"""Which candidates are trained further: asynchronous successive halving over several objectives.

Every candidate is trained to the first rung and then waits. Of all that ever came as far as a rung, the best share goes
on to the next: by non-domination rank (Deb et al. 2002) in all objectives as they were at that rung, those of one rank
by what they add to the hypervolume. Nobody waits for a rung to be full (Li et al. 2020, "A System for Massively
Parallel Hyperparameter Tuning"); one that was not among the best may be later, when worse ones have come after it.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from paretofarm.extrapolation import Extrapolation
from paretofarm.history import History, Member, Standings
from paretofarm.lifecycle import CandidateStatus
from paretofarm.pareto import hypervolume_contributions, non_domination_rank
from paretofarm.strict import Strict

_MARGIN = 0.1
_ROUNDING = 1e-9


def _increasing(rungs: tuple[int, ...]) -> tuple[int, ...]:
    if any(later <= earlier for earlier, later in pairwise(rungs)):
        raise ValueError("the rungs must increase, e.g. [1, 3, 9]: each counts all epochs from the start")
    return rungs


class Fidelity(Strict):
    """The `fidelity:` part of an experiment file.

    rungs: total epochs of training at each, the same list as `training.epochs`, of which one may be left out. Without
    `fidelity:` every candidate is trained through all rungs; with it, of those that reached a rung the best `promote`
    (a share) go on. extrapolate: who has no chance by its learning curve is not trained further.
    """

    rungs: Annotated[
        tuple[Annotated[int, Field(ge=1, le=10_000)], ...], Field(min_length=2), AfterValidator(_increasing)
    ]
    promote: float = Field(0.33, gt=0, le=1)
    extrapolate: Extrapolation | None = None

    @property
    def last(self) -> int:
        """The rung at which a candidate is complete."""
        return len(self.rungs) - 1

    @property
    def proposals_per_complete(self) -> float:
        """How many begin for each that is trained to the end, in the long run."""
        return float((1 / self.promote) ** self.last)


@dataclass(frozen=True)
class Promotion:
    """A candidate, by number, that goes on; rung: to be trained to."""

    number: int
    rung: int


@dataclass(frozen=True)
class Wanted:
    """slots: how many candidates may begin to run; complete: how many more may be trained to the last rung.

    whoever: the rungs need not have come to the promised share, since nothing new is going to fill them.
    """

    slots: int
    complete: int
    whoever: bool = False


def promotions(
    history: History, fidelity: Fidelity, wanted: Wanted, *, hopeless: Mapping[int, str] | None = None
) -> list[Promotion]:
    """Who goes on now, from the highest rung down, the best of each first; depends on the arguments alone.

    hopeless: candidates that are passed over, by number, with the reason; the last to go on where `whoever` may.
    """
    chosen: list[Promotion] = []
    complete = wanted.complete
    for rung in reversed(range(fidelity.last)):
        free = wanted.slots - len(chosen)
        if rung + 1 == fidelity.last:
            free = min(free, complete)
        waiting = list(_promotable(history.standings(rung), rung, fidelity, wanted.whoever, hopeless or {}))
        chosen += [Promotion(member.number, rung + 1) for member in waiting[: max(free, 0)]]
    return chosen


def _promotable(
    standings: Standings, rung: int, fidelity: Fidelity, whoever: bool, hopeless: Mapping[int, str]
) -> Iterator[Member]:
    """Members that wait at the rung and are among its best, the best first."""
    waits = [member.status is CandidateStatus.PAUSED and member.rung == rung for member in standings.members]
    quota = len(waits) if whoever else math.floor(len(waits) * fidelity.promote + _ROUNDING)
    if not quota or not any(waits):
        return
    best = [standings.members[index] for index in best_first(standings.points, quota) if waits[index]]
    yield from (member for member in best if member.number not in hopeless)
    if whoever:
        yield from (member for member in best if member.number in hopeless)


def best_first(points: np.ndarray, count: int) -> list[int]:
    """Indices of the `count` best points: by rank, within one by hypervolume contribution, then in the order given.

    points: minimised, shape [points, objectives]. The hypervolume's reference is a tenth of each objective's range
    beyond its worst value, so that the ends of a front count.
    """
    ranks = non_domination_rank(points, enough=count)
    lows, highs = points.min(axis=0), points.max(axis=0)
    reference = highs + _MARGIN * np.where(highs > lows, highs - lows, 1.0)
    chosen: list[int] = []
    for rank in range(int(ranks.max()) + 1):
        peers = np.flatnonzero(ranks == rank)
        chosen.extend(peers[_by_contribution(points[peers], reference)].tolist())
        if len(chosen) >= count:
            break
    return chosen[:count]


def _by_contribution(peers: np.ndarray, reference: np.ndarray) -> np.ndarray:
    if peers.shape[1] == 1:
        return np.arange(len(peers))
    return np.argsort(-hypervolume_contributions(peers, reference), kind="stable")
