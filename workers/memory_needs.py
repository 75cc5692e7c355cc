"""How much of a GPU's memory a training will need: learnt from those before it; no formula knows what libraries take.

What is known beforehand is an estimate from the network's shapes. By what factor reality is above it (or below, where
layers work in place) is measured, and differs less among networks of like size than the estimates do.
"""

import threading
from collections.abc import Hashable
from dataclasses import dataclass

CONTEXT_BYTES = 0.75 * 2**30
"""Of every process on a GPU, beside what torch allocates: the driver's context, kernels, handles of libraries. A guess
on the high side (0.3 to 0.6 GiB are reported of data-centre GPUs); torch does not count it."""
MARGIN = 1.2
"""Above the greatest that was measured: fragments, other algorithms' work space. What is still too little costs a
training smaller micro-batches, or another try alone."""
STRANGE_MARGIN = 1.5
"""Where nothing of the same kind was measured yet."""
LIKE = 2.0
"""Estimates this factor apart are of like size."""
REMEMBERED = 256
"""Measurements of a kind: of a search that goes on for weeks the latest count."""


@dataclass(frozen=True)
class PeakMemory:
    """Of one training. reserved_bytes: the most that torch held of the GPU; resident_bytes: images among it."""

    reserved_bytes: int
    resident_bytes: int = 0

    @property
    def needed(self) -> float:
        """In bytes, by the same training again."""
        return CONTEXT_BYTES + MARGIN * self.reserved_bytes


class MemoryNeeds:
    """Measured peaks against estimates, by kind; trainings of one search are of a kind. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._factors: dict[Hashable, dict[float, float]] = {}
        self._resident: dict[Hashable, int] = {}

    def learn(self, kind: Hashable, estimate: float, peak: PeakMemory) -> None:
        """estimate: bytes, as `ask` was told; of the same training again the greater peak counts."""
        factor = (peak.reserved_bytes - peak.resident_bytes) / estimate
        with self._lock:
            factors = self._factors.setdefault(kind, {})
            factors[estimate] = max(factor, factors.pop(estimate, 0.0))
            if len(factors) > REMEMBERED:
                del factors[next(iter(factors))]
            self._resident[kind] = peak.resident_bytes

    def knows(self, kind: Hashable) -> bool:
        """Whether one of the kind was measured."""
        with self._lock:
            return kind in self._factors

    def ask(self, kind: Hashable, estimate: float) -> float | None:
        """Bytes; None while nothing at all was measured."""
        with self._lock:
            if kind in self._factors:
                factor, margin, resident = _factor(self._factors[kind], estimate), MARGIN, self._resident[kind]
            elif self._factors:
                factor = max(_factor(factors, estimate) for factors in self._factors.values())
                margin, resident = STRANGE_MARGIN, max(self._resident.values())
            else:
                return None
        return CONTEXT_BYTES + margin * (resident + factor * estimate)


def _factor(factors: dict[float, float], estimate: float) -> float:
    """The greatest of networks of like size, else of all."""
    like = [factor for other, factor in factors.items() if estimate / LIKE <= other <= estimate * LIKE]
    return max(like or factors.values())
