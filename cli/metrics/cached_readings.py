"""Readings that cost something to take, taken when Prometheus asks, but not every time."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from paretofarm.instrument import Kind, Reading

Read = Callable[[], Iterable[Reading]]


class CachedReadings(Collector):
    """Takes readings at most every `keep_s` seconds, and never for more than a `share` of the time.

    However many scrapes come at once, one reads and the others wait for it. read: never raises for a server's sake.
    """

    def __init__(
        self, read: Read, *, keep_s: float, share: float = 0.1, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._keep_s = keep_s
        self._share = share
        self._now = now
        self._lock = threading.Lock()
        self._readings: Sequence[Reading] = ()
        self._fresh_until = float("-inf")

    def collect(self) -> Iterator[Metric]:
        yield from families(self.readings())

    def describe(self) -> list[Metric]:
        """Nothing: the library would otherwise take readings in order to learn their names."""
        return []

    def readings(self) -> Sequence[Reading]:
        with self._lock:
            if self._now() >= self._fresh_until:
                started = self._now()
                self._readings = list(self._read())
                ended = self._now()
                self._fresh_until = ended + max(self._keep_s, (ended - started) / self._share)
            return self._readings


def families(readings: Iterable[Reading]) -> Iterator[Metric]:
    """Readings as Prometheus' families, each once."""
    ordered = sorted(readings, key=lambda reading: reading.instrument.name)
    for instrument, group in groupby(ordered, key=lambda reading: reading.instrument):
        kind = CounterMetricFamily if instrument.kind is Kind.COUNTER else GaugeMetricFamily
        family = kind(instrument.full_name, instrument.help, labels=instrument.labels)
        for reading in group:
            family.add_metric([reading.labels[label] for label in instrument.labels], reading.value)
        yield family
