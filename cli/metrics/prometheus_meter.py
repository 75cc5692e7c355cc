"""Keeps count with prometheus-client."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from paretofarm.instrument import Instrument, Kind, Process
from paretofarm.instruments import instruments_of


class PrometheusMeter:
    """All that one kind of process counts, in one registry. What has no labels is told from the start, as 0.

    Where PROMETHEUS_MULTIPROC_DIR is set the library keeps the numbers in files there, for processes that fork.
    """

    def __init__(self, process: Process, registry: CollectorRegistry) -> None:
        self._process = process
        self._kept: dict[str, Any] = {}
        for instrument in instruments_of(process):
            if instrument.read:
                continue
            self._kept[instrument.name] = _keeper(instrument, registry)

    def add(self, instrument: Instrument, amount: float = 1.0, **labels: str) -> None:
        self._child(instrument, labels).inc(amount)

    def set(self, instrument: Instrument, value: float, **labels: str) -> None:
        self._child(instrument, labels).set(value)

    def observe(self, instrument: Instrument, value: float, **labels: str) -> None:
        self._child(instrument, labels).observe(value)

    def _child(self, instrument: Instrument, labels: dict[str, str]) -> Any:
        kept = self._kept[instrument.name]
        return kept.labels(**labels) if labels else kept


def _keeper(instrument: Instrument, registry: CollectorRegistry) -> Any:
    name, labels = instrument.full_name, instrument.labels
    match instrument.kind:
        case Kind.COUNTER:
            return Counter(name, instrument.help, labels, registry=registry)
        case Kind.GAUGE:
            return Gauge(name, instrument.help, labels, registry=registry, multiprocess_mode="livesum")
        case Kind.HISTOGRAM:
            return Histogram(name, instrument.help, labels, registry=registry, buckets=instrument.buckets)
