"""A running search at one moment, as `search start --wait` shows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from db.course import Standing
from db.experiments import ExperimentStatus


@dataclass(frozen=True)
class Snapshot:
    """counts: candidates by status, all named; target: complete candidates asked for; stages: (at work, waiting) by
    stage, those with any. reason: why it was stopped, where not by the user; news: the newest lines, oldest first;
    trouble: what keeps the search from going on.
    """

    name: str
    status: ExperimentStatus
    target: int
    counts: Mapping[str, int]
    stages: Mapping[str, tuple[int, int]]
    standing: Standing
    first_objective: str
    reason: str | None
    elapsed_s: float
    eta_s: float | None = None
    news: tuple[str, ...] = ()
    trouble: str | None = None

    @property
    def in_flight(self) -> int:
        return self.counts["proposed"] + self.counts["running"]

    @property
    def is_over(self) -> bool:
        """Finished, or stopped with nothing left that comes to its end by itself."""
        if self.status is ExperimentStatus.STOPPED:
            return not self.stages and (not self.in_flight or self.reason is not None)
        return self.status is ExperimentStatus.FINISHED
