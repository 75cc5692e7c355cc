"""What a candidate takes when nothing slows the phone, from a few blocks during which something may have.

Model: `log(candidate) = value + sensitivity * log(reference / usual) + noise`. A network that waits for memory feels a
lower clock less than the reference does, so the sensitivity is not 1 but about 1: a normal prior says so, and the
blocks correct it where the reference moved. Noise has heavy tails (a background job during one block): Student's t with
four degrees of freedom, fitted by reweighting. A few blocks that agree by chance would make too narrow an interval: how
much blocks usually scatter counts like so many blocks more.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

EXPECTED_SENSITIVITY = 1.0
SENSITIVITY_SPREAD = 0.2
"""Standard deviation over networks: most are between 0.6 and 1.4."""
USUAL_SCATTER = 0.01
USUAL_WEIGHT = 4
"""Of block medians on a phone at rest, and how many blocks that knowledge is worth."""
TAIL_FREEDOM = 4.0
INFORMATION = (TAIL_FREEDOM + 1) / (TAIL_FREEDOM + 3)
"""What an observation with such tails tells about the value, against one with normal noise of the same scale."""
ROUNDS = 12
NORMAL_QUANTILE = 1.959964
"""Two-sided, 95 %."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """value: of the logarithm where the reference is at its usual pace; low, high: its 95 % interval."""

    value: float
    low: float
    high: float
    sensitivity: float


def fit(logs: Values, shifts: Values) -> Fit:
    """logs: of the candidate's pace, one of each block; shifts: of log(reference / usual) around it. At least one."""
    expected = logs - EXPECTED_SENSITIVITY * shifts
    weights = np.ones_like(expected)
    # The median absolute deviation, as the first guess must not be an outlier's.
    variance = _variance(1.4826 * np.median(np.abs(expected - np.median(expected))) * np.ones_like(expected))
    for _ in range(ROUNDS):
        value, extra = _solve(expected, shifts, weights / variance)
        residuals = expected - value - extra * shifts
        variance = _variance(residuals * np.sqrt(weights))
        weights = (TAIL_FREEDOM + 1) / (TAIL_FREEDOM + residuals**2 / variance)
    covariance = np.linalg.inv(_information(shifts, INFORMATION * weights / variance))
    half = student_quantile(USUAL_WEIGHT + len(logs) - 1) * math.sqrt(covariance[0, 0])
    return Fit(value, value - half, value + half, EXPECTED_SENSITIVITY + extra)


def student_quantile(freedom: int) -> float:
    """Two-sided 95 % quantile of Student's t, by the expansion of Cornish and Fisher; within 1 % from 3 degrees on."""
    z = NORMAL_QUANTILE
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def _variance(residuals: Values) -> float:
    """With the usual scatter in it as if it had been seen in that many blocks, unless these scatter more."""
    seen, freedom = float((residuals**2).sum()), len(residuals) - 1
    pooled = (USUAL_WEIGHT * USUAL_SCATTER**2 + seen) / (USUAL_WEIGHT + freedom)
    return max(pooled, seen / max(1, freedom))


def _solve(expected: Values, shifts: Values, precision: Values) -> tuple[float, float]:
    """Least squares with the prior on the slope: value, and what the sensitivity has beyond the expected."""
    totals = [(precision * expected).sum(), (precision * shifts * expected).sum()]
    value, extra = np.linalg.solve(_information(shifts, precision), totals)
    return float(value), float(extra)


def _information(shifts: Values, precision: Values) -> Values:
    """Of value and slope together; its inverse is their covariance."""
    cross, square = (precision * shifts).sum(), (precision * shifts**2).sum()
    return np.array([[precision.sum(), cross], [cross, square + SENSITIVITY_SPREAD**-2]])
