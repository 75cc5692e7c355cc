"""What a worker or an agent hands in when its work on an evaluation is done."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from db.artifact import StoredArtifact
from paretofarm.latency import Block, LatencySummary
from paretofarm.metrics import METRICS, metric_key


@dataclass(frozen=True)
class EpochMetrics:
    """One epoch of a training. epoch: from 1, over all rungs; metrics: of the validation split, where it was run."""

    epoch: int
    train_loss: float
    duration_s: float
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class MeasurementRecord:
    """Everything a phone measured, raw samples included. protocol: `PROTOCOL_VERSION` of then.

    conditions, details: JSON. device: the phone's class; protocol_key: all that must be equal for the measurement to be
    used again; reused_from: id of the one that this is a copy of.
    """

    phone_id: int
    network_sha256: str
    runtime: str
    protocol: int
    blocks: Sequence[Block]
    summary: LatencySummary
    conditions: Mapping[str, Any]
    simulated: bool
    device: str | None = None
    protocol_key: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    reused_from: int | None = None

    def to_row(self) -> dict[str, Any]:
        return {
            "phone_id": self.phone_id,
            "network_sha256": self.network_sha256,
            "runtime": self.runtime,
            "protocol": self.protocol,
            "samples": [asdict(block) for block in self.blocks],
            "summary": asdict(self.summary),
            "conditions": dict(self.conditions),
            "simulated": self.simulated,
            "device": self.device,
            "protocol_key": self.protocol_key,
            "details": dict(self.details),
            "reused_from": self.reused_from,
        }


@dataclass(frozen=True)
class Report:
    """The outcome of an evaluation.

    metrics, intervals (low, high): by plain metric name; those measured per device get their device class here.
    artifacts: what was stored, one of each kind. details: anything else worth keeping, as JSON (per-class scores).
    simulated: whether a simulated phone was involved; None says nothing about it. Non-finite or unknown metrics are
    a ValueError: a bug of the caller.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    artifacts: Sequence[StoredArtifact] = ()
    measurement: MeasurementRecord | None = None
    epochs: Sequence[EpochMetrics] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    simulated: bool | None = None

    def __post_init__(self) -> None:
        for name in (*self.metrics, *self.intervals):
            if name not in METRICS:
                raise ValueError(f"unknown metric {name!r}")
        numbers = [*self.metrics.values(), *(bound for pair in self.intervals.values() for bound in pair)]
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError(f"metrics must be finite: {dict(self.metrics)} {dict(self.intervals)}")

    def keyed_metrics(self, device: str | None) -> dict[str, float]:
        """By metric key, as candidates keep them."""
        return {_key(name, device): value for name, value in self.metrics.items()}

    def keyed_intervals(self, device: str | None) -> dict[str, list[float]]:
        return {_key(name, device): list(pair) for name, pair in self.intervals.items()}


def _key(name: str, device: str | None) -> str:
    return metric_key(name, device if METRICS[name].per_device else None)
