"""What a search knows of latencies before its own phones have measured them."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from db.experiments import StoredExperiment
from db.latencies import MOST, LatencyFeed
from paretofarm.algorithms import Listed, SurrogatePareto
from paretofarm.architecture import Architecture
from paretofarm.described import Inputs
from paretofarm.experiment import Experiment
from paretofarm.history import History, Member
from paretofarm.metrics import LATENCY
from paretofarm.objective import Constraint
from paretofarm.screening import Hopeless
from paretofarm.search_space import SearchSpace
from paretofarm.shared_latency import MeasuredLatency, newest
from scheduler.store import SearchStore

if TYPE_CHECKING:
    from paretofarm.surrogates.latency_predictor import LatencyPredictor

KNOWN_WELL = 20
"""Measurements from which on a proposal may be refused for what is expected of it."""


class Foresight:
    """Of one search. Reads each measurement of another search once; all that it keeps is in the database.

    first: the highest number that it may give to members that it makes of them, below 0.
    """

    def __init__(self, stored: StoredExperiment, space: SearchSpace, *, first: int) -> None:
        experiment = stored.experiment
        self._space = space
        self._first = first
        self._settings = experiment.predictor
        self._limits = _limits(experiment)
        self._borrowed = self._settings.borrow if isinstance(experiment.algorithm, SurrogatePareto) else 0
        is_used = bool(self._borrowed or self._limits)
        self._feed = LatencyFeed(stored) if is_used and self._settings.share and experiment.devices else None
        self._latencies: list[MeasuredLatency] = []

    def read(self, store: SearchStore) -> None:
        """What has come since."""
        fresh = store.fresh_latencies(self._feed) if self._feed is not None else ()
        if fresh:
            self._latencies = newest([*self._latencies, *fresh])[-MOST:]

    @property
    def borrowed(self) -> list[Member]:
        """What the algorithm may look at."""
        return self.members[-self._borrowed :] if self._borrowed else []

    @property
    def members(self) -> list[Member]:
        """Of each architecture and device class the newest measurement; a restarted scheduler numbers them alike."""
        return [each.member(self._first - each.id) for each in self._latencies]

    @property
    def architectures(self) -> Mapping[int, Architecture]:
        return {self._first - each.id: each.architecture for each in self._latencies}

    def hopeless(self, history: History) -> Hopeless | None:
        """None where nothing is refused: nobody asks for it, or too little is known."""
        able = [(limit, predictor) for limit in self._limits if (predictor := self._predictor(history, limit))]
        return partial(self._verdicts, able) if able else None

    def _predictor(self, history: History, limit: Constraint) -> "LatencyPredictor | None":
        # Here, since it loads scipy, which only schedulers need and only those have installed.
        from paretofarm.surrogates.latency_predictor import learn

        predictor = learn(history.measuring(self.members), self._space, limit.key)
        return predictor if predictor is not None and predictor.measurements >= KNOWN_WELL else None

    def _verdicts(
        self, able: Sequence[tuple[Constraint, "LatencyPredictor"]], architectures: Sequence[Architecture]
    ) -> list[bool]:
        inputs = Inputs.of([self._space.described.row(architecture) for architecture in architectures])
        chances = [predictor.probability(inputs, limit.at_least, limit.at_most) for limit, predictor in able]
        return [chance < (self._settings.screen or 0.0) for chance in np.min(chances, axis=0).tolist()]


def _limits(experiment: Experiment) -> tuple[Constraint, ...]:
    """Limits that proposals are screened for; whatever somebody has named himself is not screened."""
    if experiment.predictor.screen is None or isinstance(experiment.algorithm, Listed):
        return ()
    return tuple(limit for limit in experiment.constraints if limit.name == LATENCY)
