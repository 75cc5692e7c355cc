"""A candidate as the command line prints it: its metrics under plain names, for one device class."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paretofarm.metrics import METRICS


@dataclass(frozen=True)
class Result:
    """metrics, intervals (95 %): by plain name, `latency_ms`, of the one device class that was asked for."""

    id: int
    number: int
    digest: str
    status: str
    reason: str | None
    origin: str
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    simulated: bool
    noisy: bool

    def to_json(self) -> dict[str, Any]:
        """What scripts rely on (README); numbers that are whole are printed so."""
        return {
            "id": self.id,
            "digest": self.digest,
            "status": self.status,
            "metrics": {name: _plain(value) for name, value in self.metrics.items()},
            "intervals": {name: list(interval) for name, interval in self.intervals.items()},
            "simulated": self.simulated,
        }


def for_device(values: Mapping[str, Any], device: str | None) -> dict[str, Any]:
    """Values by metric key reduced to one device class and plain names, in the order of `METRICS`."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        name, _, of = key.partition("@")
        if not of or of == device:
            found[name] = value
    order = {name: position for position, name in enumerate(METRICS)}
    return dict(sorted(found.items(), key=lambda item: order.get(item[0], len(order))))


def _plain(value: float) -> float | int:
    return int(value) if float(value).is_integer() and abs(value) >= 1 else value
