"""From values to places on an axis, and the numbers that are written at it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

LOG_FROM = 10.0
"""An axis whose greatest value is so many times the smallest is logarithmic."""
MARGIN = 0.05
STEPS = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """low, high: values at the ends `start` and `end`, in pixels."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Kept within the ends, and a hair beyond: an interval may reach further than what is shown."""
        share = (self._inner(value) - self._inner(self.low)) / (self._inner(self.high) - self._inner(self.low))
        return self.start + min(max(share, -0.02), 1.02) * (self.end - self.start)

    def _inner(self, value: float) -> float:
        return log10(max(value, self.low * 1e-3)) if self.log else value

    def ticks(self, wanted: int) -> list[float]:
        """Round values within the ends, about as many as wanted."""
        return _log_ticks(self.low, self.high, wanted) if self.log else _even_ticks(self.low, self.high, wanted)


def scale_of(
    values: Iterable[float], start: float, end: float, *, from_zero: bool = False, may_be_log: bool = True
) -> Scale:
    """For these values, with a margin. from_zero: begins at 0, to the pixel; for values that are not below it."""
    known = [value for value in values if isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    if from_zero:
        return Scale(0.0, high * (1 + MARGIN) or 1.0, start, end)
    if may_be_log and low > 0 and high > LOG_FROM * low:
        spread = (high / low) ** MARGIN
        return Scale(low / spread, high * spread, start, end, log=True)
    room = (high - low) * MARGIN or abs(high) * MARGIN or 0.5
    return Scale(low - room, high + room, start, end)


def tick_texts(ticks: Sequence[float]) -> list[str]:
    """1200000 → 1.2M, 35000 → 35k; the others with the same number of decimals."""
    largest = max((abs(tick) for tick in ticks), default=0.0)
    factor, suffix = next(
        ((f, s) for f, s in ((1e9, "G"), (1e6, "M"), (1e3, "k")) if largest >= max(f, 1e4)), (1.0, "")
    )
    scaled = [tick / factor for tick in ticks]
    decimals = max((_decimals(value) for value in scaled), default=0)
    if _is_wide(scaled):
        return [f"{value:g}{suffix}" for value in scaled]
    return [f"{value:.{decimals}f}{suffix}" if value else "0" for value in scaled]


def _is_wide(values: Sequence[float]) -> bool:
    return len(values) > 1 and min(values) > 0 and max(values) >= LOG_FROM * min(values)


def _decimals(value: float) -> int:
    return next((count for count in range(6) if abs(value - round(value, count)) <= 1e-9 * max(abs(value), 1e-9)), 6)


def _even_ticks(low: float, high: float, wanted: int) -> list[float]:
    rough = (high - low) / max(wanted, 1)
    size = 10.0 ** floor(log10(rough))
    step = next(factor * size for factor in STEPS if factor * size >= rough)
    digits = 1 - floor(log10(step))
    return [round(count * step, digits) for count in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def _log_ticks(low: float, high: float, wanted: int) -> list[float]:
    """1, 2 and 5 of each decade, or 1 and 3, or every n-th decade: the most that are not too many."""
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    found: list[float] = []
    for factors in ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
        found = [f * 10.0**d for d in decades for f in factors if low <= f * 10.0**d <= high]
        if len(found) <= wanted + 1:
            break
    return found[:: -(-len(found) // (wanted + 1))]
