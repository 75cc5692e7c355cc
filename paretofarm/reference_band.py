"""Whether a phone still runs the reference network as it always did. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MIN_SHARE = 0.08
MADS = 4.0
LEARNING = 3
"""Checks that a phone passes before it has a band: nobody knows yet what is usual."""
REMEMBERED = 20


@dataclass(frozen=True)
class Band:
    """What is usual: milliseconds per inference of the reference, and how far from the median it may be."""

    median_ms: float
    width_ms: float

    def holds(self, latency_ms: float) -> bool:
        return abs(latency_ms - self.median_ms) <= self.width_ms


def band(history_ms: Sequence[float], min_share: float = MIN_SHARE) -> Band | None:
    """Median ± max(`min_share` of it, 4 median absolute deviations) of the checks that passed; None while it learns.

    history_ms: of this phone, this reference, this protocol and this build of Android. A few odd checks among the
    last twenty move neither the median nor the deviation by much, a change that stays does within ten.
    """
    if len(history_ms) < LEARNING:
        return None
    values = np.asarray(history_ms[-REMEMBERED:])
    median = float(np.median(values))
    deviation = float(np.median(np.abs(values - median)))
    return Band(median, max(min_share * median, MADS * deviation))


def complaint(latency_ms: float, usual: Band | None) -> str | None:
    """What is wrong with a check, or None."""
    if usual is None or usual.holds(latency_ms):
        return None
    share = latency_ms / usual.median_ms - 1
    return (
        f"the reference network takes {latency_ms:.3g} ms, {abs(share):.0%} {'more' if share > 0 else 'less'} than "
        f"usual ({usual.median_ms:.3g} ± {usual.width_ms:.2g} ms)"
    )
