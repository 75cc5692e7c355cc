"""One number that the service tells about itself, and one value of it: pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

PREFIX = "paretofarm_"


class Kind(StrEnum):
    """How a number moves: only up, up and down, or as a distribution."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Process(StrEnum):
    """Who tells a number, each on a port of its own."""

    EXPORTER = "exporter"
    SCHEDULER = "scheduler"
    WORKER = "worker"
    AGENT = "agent"
    DASHBOARD = "dashboard"


@dataclass(frozen=True)
class Instrument:
    """One metric. name: without prefix; unit: empty for plain numbers; buckets: upper bounds, of a histogram.

    read: read when somebody asks, rather than counted as it happens.
    """

    name: str
    kind: Kind
    unit: str
    help: str
    labels: tuple[str, ...] = ()
    processes: tuple[Process, ...] = ()
    buckets: tuple[float, ...] = ()
    read: bool = False

    @property
    def full_name(self) -> str:
        """As Prometheus knows it."""
        return PREFIX + self.name

    @property
    def series(self) -> tuple[str, ...]:
        """Names that a query may use."""
        if self.kind is Kind.HISTOGRAM:
            return tuple(self.full_name + suffix for suffix in ("_bucket", "_count", "_sum"))
        return (self.full_name,)


@dataclass(frozen=True)
class Reading:
    """One value of an instrument, with all its labels."""

    instrument: Instrument
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
