"""How good a latency predictor is: each measurement held against what those before it had predicted."""

from dataclasses import dataclass

import numpy as np

from paretofarm.described import Inputs
from paretofarm.rank_correlation import kendall
from paretofarm.surrogates.latency_predictor import LEAST, LatencyPredictor

JUDGED = 100
"""The latest forecasts that count: the first ones were a beginner's."""
_GROWTH = 1.25
"""A model is fitted anew when there are so many times as many measurements: forecasts rest on fewer, never on more."""


@dataclass(frozen=True)
class Quality:
    """measurements: that the model rests on; judged: forecasts that the rest is about.

    mape: mean of |forecast - measured| / measured; median_ape: median of that, which networks of next to no time leave
    alone; tau: Kendall's, of forecasts and measurements; coverage: share of
    measurements within the forecast's 95 % interval. None while nothing could be judged.
    """

    measurements: int
    judged: int
    mape: float | None = None
    median_ape: float | None = None
    tau: float | None = None
    coverage: float | None = None


def judge_forecasts(inputs: Inputs, latencies_ms: np.ndarray, errors_ms: np.ndarray) -> Quality:
    """Of measurements [rows] with their standard deviations, in the order in which they were made."""
    total = len(latencies_ms)
    forecasts = np.full((total, 3), np.nan)
    known = LEAST
    while known < total:
        following = min(total, max(known + 1, int(known * _GROWTH)))
        if following > total - JUDGED:
            rows = np.arange(known, following)
            forecasts[rows] = _forecasts(inputs, latencies_ms, errors_ms, known, rows)
        known = following
    told = np.flatnonzero(~np.isnan(forecasts[:, 0]))[-JUDGED:]
    return _quality(total, forecasts[told], latencies_ms[told])


def _forecasts(
    inputs: Inputs, latencies_ms: np.ndarray, errors_ms: np.ndarray, known: int, rows: np.ndarray
) -> np.ndarray:
    """By the first `known` measurements alone: latency, low and high of these rows, [rows, 3]."""
    before = np.arange(known)
    predictor = LatencyPredictor.fit(inputs[before], latencies_ms[before], errors_ms[before])
    if predictor is None:
        return np.full((len(rows), 3), np.nan)
    found = predictor.forecast(inputs[rows])
    return np.stack([found.latency_ms, found.low_ms, found.high_ms], axis=1)


def _quality(total: int, forecasts: np.ndarray, measured_ms: np.ndarray) -> Quality:
    if not len(measured_ms):
        return Quality(total, 0)
    expected, low, high = forecasts.T
    errors = np.abs(expected - measured_ms) / measured_ms
    return Quality(
        measurements=total,
        judged=len(measured_ms),
        mape=float(np.mean(errors)),
        median_ape=float(np.median(errors)),
        tau=kendall(expected, measured_ms),
        coverage=float(np.mean((low <= measured_ms) & (measured_ms <= high))),
    )
