"""How the values of one tensor are spread, and which of them a quantized network should be able to tell apart.

Quantized values are evenly spaced levels, one of which is 0. A range that holds every value has coarse levels where few
values lie far from the rest; a narrower one clips those few. Nagel et al., A White Paper on Neural Network
Quantization (2021), section 3.1, compare the ways to choose.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

BINS = 4096
CLIPPED = 1e-4
"""Share of the values that `percentile` clips at each end: 99.99 % did best on most convolutional networks in Wu et
al., Integer Quantization for Deep Learning Inference (2020), table 5."""
SHRINKING = 2.0 ** -(np.arange(81) / 8)
"""Ends that `mse` tries, as shares of the extreme: from all of it to a thousandth, in steps of 9 %, about which the
error is flat."""
ROUNDS = 4
"""Of turns between both ends."""

Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ClippingRange:
    """Values outside become its ends. It holds 0, as every quantized range must."""

    low: float
    high: float

    @classmethod
    def around(cls, low: float, high: float) -> Self:
        """The smallest one with these values in it."""
        return cls(min(low, 0.0), max(high, 0.0))


@dataclass(frozen=True, eq=False)
class ActivationHistogram:
    """Numbers of values in `BINS` equal bins from `low` to `high`, the extremes that ever occurred."""

    low: float
    high: float
    counts: npt.NDArray[np.int64]

    @classmethod
    def empty(cls, low: float, high: float) -> Self:
        return cls(low, high, np.zeros(BINS, np.int64))

    def add(self, values: Values) -> None:
        """Counts values between the extremes, in place."""
        width = np.float32(self.width)
        bins = np.zeros(values.size, np.intp) if width == 0 else ((values.ravel() - self.low) / width).astype(np.intp)
        self.counts[:] += np.bincount(bins.clip(0, BINS - 1), minlength=BINS)

    @property
    def width(self) -> float:
        """Of a bin."""
        return (self.high - self.low) / BINS

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        return self.low + (np.arange(BINS, dtype=np.float64) + 0.5) * self.width

    def extremes(self) -> ClippingRange:
        """Clips nothing that occurred (MinMax)."""
        return ClippingRange.around(self.low, self.high)

    def percentile(self, clipped: float = CLIPPED) -> ClippingRange:
        """Clips at most that share of the values at each end."""
        below = np.cumsum(self.counts)
        most = clipped * below[-1]
        first = int(np.searchsorted(below, most, side="right"))
        last = BINS - 1 - int(np.searchsorted(np.cumsum(self.counts[::-1]), most, side="right"))
        low = self.low if first == 0 else self.low + first * self.width
        high = self.high if last == BINS - 1 else self.low + (last + 1) * self.width
        return ClippingRange.around(low, high)

    def least_error(self, levels: int) -> ClippingRange:
        """The range with the smallest mean squared error of those tried; the widest of equally good ones."""
        whole = best = self.extremes()
        for _ in range(ROUNDS):
            before = best
            best = self._best([ClippingRange(low, best.high) for low in _shrunk(whole.low)], levels)
            best = self._best([ClippingRange(best.low, high) for high in _shrunk(whole.high)], levels)
            if best == before:
                break
        return best

    def _best(self, tried: Sequence[ClippingRange], levels: int) -> ClippingRange:
        return tried[0] if len(tried) == 1 else min(tried, key=lambda each: self.error(each, levels))

    def error(self, chosen: ClippingRange, levels: int) -> float:
        """Mean squared difference between the values and what so many levels over that range make of them."""
        step = (chosen.high - chosen.low) / (levels - 1)
        if step == 0:
            return self._mean(self.centres**2)
        lowest = np.round(chosen.low / step)
        rounded = np.clip(np.round(self.centres / step), lowest, lowest + levels - 1) * step
        squares = (self.centres - rounded) ** 2
        if step < self.width:
            # Levels finer than bins: a value lies anywhere between two of them.
            inside = (self.centres >= chosen.low) & (self.centres <= chosen.high)
            squares[inside] = step**2 / 12
        return self._mean(squares)

    def _mean(self, squares: npt.NDArray[np.float64]) -> float:
        total = int(self.counts.sum())
        return float(np.dot(self.counts, squares) / total) if total else 0.0


def _shrunk(end: float) -> list[float]:
    return [end] if end == 0 else [float(end * share) for share in SHRINKING]
