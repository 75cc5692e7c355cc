"""A network run for minutes, on the phone in numbers."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from device_agents.conditions import Conditions
from device_agents.noisy_phone import TYPICAL, Network, NoisyPhone, Regime
from device_agents.runtimes import BlockTimes
from device_agents.sustained import Curve, Point, SustainedRun
from paretofarm.errors import LeaseLost

NETWORK = Network(20.0)
OVEN = replace(TYPICAL, sealed=45.0)


def sustained(regime: Regime, seconds: float) -> tuple[Curve, list[float]]:
    """The curve, and the shares of progress that were told."""
    phone = NoisyPhone(regime, np.random.default_rng(0), speed=1.0)
    shares: list[float] = []
    run = SustainedRun(
        lambda inferences: BlockTimes(phone.run(NETWORK, inferences)),
        phone.conditions,
        shares.append,
        lambda: phone.now_s,
    )
    return run.run(seconds, NETWORK.true_ms), shares


def test_the_curve_rises_while_the_phone_heats() -> None:
    curve, shares = sustained(TYPICAL, 1800.0)
    assert curve.stopped is None
    assert 1800.0 <= curve.ran_s < 1820.0
    first = np.median([point.latency_ms for point in curve.points[:6]])
    assert first == pytest.approx(20.0, rel=0.05)
    assert curve.latency_ms > 1.08 * first
    assert curve.points[-1].battery_temperature > curve.points[0].battery_temperature + 5
    assert shares[-1] == 1.0 and shares == sorted(shares)


def test_the_ranking_at_minute_1_is_not_that_at_minute_30() -> None:
    """A network that waits for memory overtakes one that computes, once the clock is lower."""
    last = []
    for network in (Network(20.0, compute=0.6), Network(19.5, compute=1.0)):
        phone = NoisyPhone(TYPICAL, np.random.default_rng(0), speed=1.0)
        timed = lambda inferences, phone=phone, network=network: BlockTimes(phone.run(network, inferences))  # noqa: E731
        run = SustainedRun(timed, phone.conditions, lambda share: None, lambda phone=phone: phone.now_s)
        last.append(run.run(1800.0, network.true_ms).latency_ms)
    assert last[0] < last[1]


def test_it_stops_at_a_thermal_limit_and_says_so() -> None:
    curve, _ = sustained(OVEN, 3600.0)
    assert curve.ran_s < 1800.0
    assert "limit 42 °C" in str(curve.stopped)
    assert curve.to_dict()["stopped"] == curve.stopped


def test_moderate_throttling_does_not_stop_it_and_severe_throttling_does() -> None:
    assert stopped_under(thermal_status=2) is None
    assert stopped_under(thermal_status=3) == "thermal status 3: the phone throttles"


def stopped_under(*, thermal_status: int) -> str | None:
    conditions = Conditions(True, thermal_status, {"CPU0": 95.0}, 80, 38.0, True, False, 2**36)
    clock = iter(range(100))
    run = SustainedRun(lambda n: BlockTimes((1.0,)), lambda: conditions, lambda share: None, lambda: float(next(clock)))
    return run.run(10.0, 1.0).stopped


def test_what_ends_all_work_ends_it() -> None:
    def lost() -> Conditions:
        raise LeaseLost

    run = SustainedRun(lambda inferences: BlockTimes((1.0,)), lost, lambda share: None)
    with pytest.raises(LeaseLost):
        run.run(10.0, 1.0)


def test_the_value_is_the_median_of_the_last_tenth_of_the_time() -> None:
    points = tuple(Point(float(second), 1.0 if second <= 90 else float(second), 0, None) for second in range(1, 101))
    assert Curve(100.0, points).latency_ms == 95.5


@pytest.mark.parametrize("inferences_of", [lambda: 3.0, lambda: 6000.0])
def test_runs_are_short_against_the_whole(inferences_of: Callable[[], float]) -> None:
    curve, _ = sustained(TYPICAL, inferences_of())
    assert max(b.at_s - a.at_s for a, b in zip(curve.points, curve.points[1:], strict=False)) < 15
