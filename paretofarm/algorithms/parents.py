"""Who may have children: the best of a history by rank and crowding, drawn by tournament."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from paretofarm.architecture import Architecture
from paretofarm.history import History
from paretofarm.lifecycle import CandidateStatus
from paretofarm.pareto import crowding_distance, non_domination_rank


@dataclass(frozen=True)
class Parents:
    """Numbers of members, the best first: lower rank, then less crowded."""

    history: History
    numbers: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    def draw(self, tournament: int, rng: np.random.Generator) -> int:
        """The best of so many drawn with replacement."""
        return self.numbers[int(rng.integers(len(self.numbers), size=tournament).min())]

    def architecture(self, number: int) -> Architecture:
        return self.history.architecture(number)


class BestOf:
    """The `population` best of a history, selected when they are first asked for."""

    def __init__(self, history: History, population: int) -> None:
        self._history = history
        self._population = population

    def get(self) -> Parents:
        return self._selected

    @cached_property
    def _selected(self) -> Parents:
        return select_parents(self._history, self._population)


def select_parents(history: History, population: int) -> Parents:
    """The `population` best feasible members, or all of them where there are fewer.

    Where candidates are trained by rungs those that came further are better: the last places of a population that is
    not full are those of the best of the highest rung below, and so on; and in the end those of earlier searches.
    """
    chosen = [history.feasible[index].number for index in _best(history.points, population)]
    for rung in reversed(range(len(history.rungs) - 1)):
        if len(chosen) >= population:
            break
        standings = history.standings(rung)
        numbers = [member.number for member in standings.members]
        chosen += [numbers[index] for index in _best(standings.points, population) if numbers[index] not in chosen]
    if len(chosen) < population:
        chosen += _of_earlier_searches(history, population)
    return Parents(history, tuple(chosen[:population]))


def _of_earlier_searches(history: History, count: int) -> list[int]:
    """Observations that have all objectives and keep all limits, the best first."""
    earlier = History(
        [member for member in history.observations if member.status is CandidateStatus.COMPLETE],
        history.objectives,
        history.constraints,
        {},
        history.rungs,
    )
    return [earlier.feasible[index].number for index in _best(earlier.points, count)]


def _best(points: np.ndarray, count: int) -> list[int]:
    """Indices, the best first: lower rank, then less crowded."""
    ranks = non_domination_rank(points, enough=count)
    chosen: list[int] = []
    for rank in range(int(ranks.max(initial=-1)) + 1):
        peers = np.flatnonzero(ranks == rank)
        chosen.extend(peers[np.argsort(-crowding_distance(points[peers]), kind="stable")].tolist())
        if len(chosen) >= count:
            break
    return chosen[:count]
