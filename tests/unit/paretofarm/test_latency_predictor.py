"""Latencies on a phone, predicted from those that it was measured at: NAS-Bench-201's pixel 3."""

from pathlib import Path

import numpy as np
import pytest

from paretofarm.architecture import Architecture
from paretofarm.described import Inputs
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.rank_correlation import kendall
from paretofarm.spaces import NasBench201Space
from paretofarm.spaces.nas_bench_201 import OfficialNumbers
from paretofarm.surrogates.forecasts import JUDGED, judge_forecasts
from paretofarm.surrogates.latency_predictor import LEAST, LatencyPredictor, learn

TABLE = Path(__file__).parents[3] / "benchmarks" / "data" / "nb201_hw.npz"
SPACE = NasBench201Space(type="nas_bench_201").search_space()
KEY = "latency_ms@phone"


def measurements(count: int, seed: int = 1) -> tuple[list[Architecture], np.ndarray]:
    """Random architectures, and what the phone needs for them, ms."""
    rng = np.random.default_rng(seed)
    drawn = {found.digest: found for found in (SPACE.sample(rng) for _ in range(2 * count))}
    architectures = list(drawn.values())[:count]
    with np.load(TABLE) as arrays:
        numbers = OfficialNumbers(arrays["ops"])
        latencies = arrays["lat_pixel3"][[numbers.number(each) for each in architectures]]
    return architectures, latencies.astype(np.float64)


def inputs_of(architectures: list[Architecture]) -> Inputs:
    return Inputs.of([SPACE.described.row(each) for each in architectures])


def test_after_fifty_measurements_the_order_of_others_is_known_and_intervals_hold() -> None:
    architectures, latencies = measurements(350)
    inputs = inputs_of(architectures)
    seen, others = np.arange(50), np.arange(50, 350)
    predictor = LatencyPredictor.fit(inputs[seen], latencies[seen], np.zeros(50))
    assert predictor is not None
    found = predictor.forecast(inputs[others])
    assert kendall(found.latency_ms, latencies[others]) > 0.7
    assert 0.85 < np.mean((found.low_ms <= latencies[others]) & (latencies[others] <= found.high_ms)) <= 1.0
    assert (found.low_ms < found.latency_ms).all() and (found.latency_ms < found.high_ms).all()


def test_a_limit_far_beyond_all_is_kept_for_sure_and_one_far_below_is_not() -> None:
    architectures, latencies = measurements(60)
    inputs = inputs_of(architectures)
    predictor = LatencyPredictor.fit(inputs, latencies, np.zeros(60))
    assert predictor is not None
    assert predictor.probability(inputs, None, 10 * latencies.max()).min() > 0.99
    assert predictor.probability(inputs, None, latencies.min() / 10).mean() < 0.01
    between = predictor.probability(inputs, 0.9 * latencies.min(), 1.1 * latencies.max())
    assert between.mean() > 0.9


def test_nothing_is_said_from_too_few_or_equal_latencies() -> None:
    architectures, latencies = measurements(LEAST)
    inputs = inputs_of(architectures)
    few = np.arange(LEAST - 1)
    assert LatencyPredictor.fit(inputs[few], latencies[few], np.zeros(LEAST - 1)) is None
    assert LatencyPredictor.fit(inputs, np.ones(LEAST), np.zeros(LEAST)) is None


def test_a_forecast_rests_on_earlier_measurements_alone() -> None:
    """Whatever the last one says, what was forecast before is as right or wrong as it was, and of itself too."""
    architectures, latencies = measurements(30)
    inputs = inputs_of(architectures)
    noise = np.zeros(30)
    usual, doubled = judge_forecasts(inputs, latencies, noise), latencies.copy()
    doubled[-1] *= 2
    changed = judge_forecasts(inputs, doubled, noise)
    first = judge_forecasts(inputs[np.arange(29)], latencies[:29], noise[:29])
    assert usual.mape is not None and changed.mape is not None and first.mape is not None
    last, last_doubled = (20 * found.mape - 19 * first.mape for found in (usual, changed))
    expected = {round(latencies[-1] * (1 + sign * last), 6) for sign in (-1, 1)}
    assert expected & {round(doubled[-1] * (1 + sign * last_doubled), 6) for sign in (-1, 1)}


def test_the_latest_forecasts_are_judged_and_the_beginners_forgotten() -> None:
    architectures, latencies = measurements(160)
    found = judge_forecasts(inputs_of(architectures), latencies, np.zeros(160))
    assert (found.measurements, found.judged) == (160, JUDGED)
    assert found.mape is not None and found.tau is not None and found.coverage is not None
    assert found.median_ape is not None and found.median_ape < 0.15
    assert found.tau > 0.7
    assert found.coverage > 0.8


def test_too_few_measurements_are_judged_by_nothing() -> None:
    architectures, latencies = measurements(LEAST)
    found = judge_forecasts(inputs_of(architectures), latencies, np.zeros(LEAST))
    assert (found.judged, found.mape, found.tau, found.coverage) == (0, None, None, None)


@pytest.mark.parametrize("own", [0, 15, 60])
def test_a_history_is_learnt_from_with_what_others_measured(own: int) -> None:
    architectures, latencies = measurements(80)
    members = [
        Member(place if place < own else -1 - place, each.digest, CandidateStatus.INFEASIBLE, {KEY: float(latency)})
        for place, (each, latency) in enumerate(zip(architectures, latencies, strict=True))
    ]
    by_number = {member.number: each for member, each in zip(members, architectures, strict=True)}
    history = History(members[:own], (), (), by_number, measured=members[own:])
    predictor = learn(history, SPACE, KEY)
    assert predictor is not None and predictor.measurements == 80
    assert learn(history, SPACE, "latency_ms@another") is None
