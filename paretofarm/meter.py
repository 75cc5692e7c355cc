"""The seam between what is counted and who keeps count: services are handed a meter, the core needs no library."""

from typing import Final, Protocol

from paretofarm.instrument import Instrument


class Meter(Protocol):
    """Keeps count. Calls never block, never raise for a server's sake, and may come from any thread."""

    def add(self, instrument: Instrument, amount: float = 1.0, **labels: str) -> None:
        """Raises a counter, or moves a gauge (down too)."""

    def set(self, instrument: Instrument, value: float, **labels: str) -> None:
        """Sets a gauge."""

    def observe(self, instrument: Instrument, value: float, **labels: str) -> None:
        """Adds one value to a histogram."""


class NoMeter:
    """Counts nothing: metrics are off."""

    def add(self, instrument: Instrument, amount: float = 1.0, **labels: str) -> None: ...

    def set(self, instrument: Instrument, value: float, **labels: str) -> None: ...

    def observe(self, instrument: Instrument, value: float, **labels: str) -> None: ...


NO_METER: Final[Meter] = NoMeter()
