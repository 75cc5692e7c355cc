"""Latencies that searches share: measured on the same device class, of the same untrained networks, in the same way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paretofarm.architecture import Architecture
from paretofarm.dataset import FaceSynthetics
from paretofarm.experiment import Experiment
from paretofarm.history import Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import LATENCY, metric_key


@dataclass(frozen=True)
class MeasuredLatency:
    """One measurement. id: of the measurement; low_ms, high_ms: its 95 % interval; search: whose candidate it was."""

    id: int
    device: str
    architecture: Architecture
    latency_ms: float
    low_ms: float
    high_ms: float
    simulated: bool
    search: str

    @property
    def digest(self) -> str:
        return self.architecture.digest

    def member(self, number: int) -> Member:
        """As algorithms see it; number: below 0."""
        key = metric_key(LATENCY, self.device)
        return Member(
            number,
            self.digest,
            CandidateStatus.PAUSED,
            {key: self.latency_ms},
            search=self.search,
            intervals={key: (self.low_ms, self.high_ms)},
        )


def pace(experiment: Experiment) -> Mapping[str, Any] | None:
    """Equal for two searches whose latencies can be compared: space, runtime, and the last layer's classes.

    JSON; None where nothing is measured.
    """
    if experiment.measurement is None:
        return None
    space = experiment.search_space.model_dump(mode="json")
    return {"space": space, "measurement": dict(experiment.measurement.pace), "classes": _classes(experiment)}


def _classes(experiment: Experiment) -> str | None:
    """What says how many classes a network tells apart."""
    dataset = experiment.training.dataset if experiment.training else None
    if dataset is None:
        return None
    return dataset.type if isinstance(dataset, FaceSynthetics) else str(dataset.path)


def newest(latencies: Sequence[MeasuredLatency]) -> list[MeasuredLatency]:
    """One of each architecture and device class, the newest, in the order in which they were measured."""
    kept = {(each.device, each.digest): each for each in sorted(latencies, key=lambda each: each.id)}
    return sorted(kept.values(), key=lambda each: each.id)
