"""The phone in numbers: what slows it, what it remembers, and that the real measurement sees through it."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from device_agents.measurement import Measured, Measurement
from device_agents.noisy_phone import CALM, NO_LINK, TYPICAL, Network, NoisyPhone, NoisyRuntime, Regime
from device_agents.runtimes import InstalledNetwork
from paretofarm.errors import NotDeployable
from paretofarm.runtimes import OnnxRuntimeMeasurement

SETTINGS = OnnxRuntimeMeasurement(runtime="onnxruntime")
REFERENCE = Network(4.0)
SILENT = replace(CALM, jitter=1e-6, tail=0.0, start_jitter=1e-6, drift=1e-6, bursts=(), dvfs_gap_s=1e9)
HOT = replace(SILENT, sealed=30.0)


def phone(regime: Regime, seed: int = 0, *, speed: float = 1.0) -> NoisyPhone:
    return NoisyPhone(regime, np.random.default_rng(seed), speed=speed)


def installed(name: str) -> InstalledNetwork:
    return InstalledNetwork(Path(name), name)


def measure(phone: NoisyPhone, network: Network, *, usual_ms: float = 4.0) -> Measured:
    """As an agent does, on a phone at the pace of its class."""
    runtime = NoisyRuntime(phone, SETTINGS, {"candidate": network, "reference": REFERENCE})
    measurement = Measurement(
        link=NO_LINK,
        runtime=runtime,
        settings=SETTINGS,
        network=installed("candidate"),
        reference=installed("reference"),
        folder="job",
        disturbance=lambda: None,
        rest=phone.idle,
    )
    return measurement.run(4.0, usual_ms, lambda share: None)


def test_an_undisturbed_phone_takes_the_true_time() -> None:
    calm = phone(SILENT)
    samples = calm.run(Network(10.0), 50)[20:]
    assert np.median(samples) == pytest.approx(10.0, rel=0.001)
    assert calm.now_s == pytest.approx(0.5, rel=0.05)


def test_the_same_seed_gives_the_same_hours() -> None:
    first, second, other = (phone(TYPICAL, seed).run(REFERENCE, 500) for seed in (1, 1, 2))
    assert first == second != other


def test_a_slower_phone_is_slower_by_its_speed() -> None:
    assert np.median(phone(SILENT, speed=0.8).run(Network(8.0), 99)) == pytest.approx(10.0, rel=0.01)


def test_a_phone_under_load_gets_hot_says_so_and_slows_down_and_recovers_when_idle() -> None:
    hot = phone(HOT)
    paces = [np.median(hot.run(Network(20.0), 3000)) for _ in range(15)]
    assert paces[0] == pytest.approx(20.0, rel=0.01)
    assert 1.1 < paces[-1] / paces[0] < 1.6
    assert hot.conditions().thermal_status == 2
    hot.idle(900.0)
    assert hot.conditions().thermal_status == 0
    assert np.median(hot.run(Network(20.0), 100)) == pytest.approx(20.0, rel=0.01)


def test_networks_feel_a_lower_clock_and_other_work_differently() -> None:
    bound_by_memory, bound_by_compute = Network(10.0, compute=0.5), Network(10.0, compute=1.0)
    assert bound_by_memory.slowdown(clock=0.8, work=0.0) == pytest.approx(1.125)
    assert bound_by_compute.slowdown(clock=0.8, work=0.0) == pytest.approx(1.25)
    assert Network(10.0, contention=0.5).slowdown(clock=1.0, work=0.2) == pytest.approx(1.1)


def test_an_unknown_network_is_refused() -> None:
    runtime = NoisyRuntime(phone(CALM), SETTINGS, {})
    with pytest.raises(NotDeployable, match="no network other"):
        runtime.time_block(NO_LINK, installed("other"), folder="job", inferences=1)


def test_measured_times_are_the_true_ones_whatever_goes_on_beside() -> None:
    noisy = phone(TYPICAL, 3)
    for true_ms, compute in itertools.product((6.0, 30.0), (0.6, 1.0)):
        summary = measure(noisy, Network(true_ms, compute=compute)).summary
        assert summary.latency_ms == pytest.approx(true_ms, rel=0.03)
        assert summary.low_ms <= true_ms * 1.01 and summary.high_ms >= true_ms * 0.99


def test_a_hot_phone_rests_until_the_reference_is_at_its_usual_pace() -> None:
    hot = phone(HOT)
    hot.run(REFERENCE, 100_000)
    measured = measure(hot, Network(20.0))
    assert 0 < measured.rested_s <= SETTINGS.max_rest_s
    assert measured.summary.reference_ratio < 1.1


def test_a_phone_that_is_slow_for_ever_is_waited_for_no_longer_than_allowed() -> None:
    slow = phone(SILENT, speed=0.5)
    assert measure(slow, Network(20.0)).rested_s == SETTINGS.max_rest_s


def rank_errors(measured: list[float]) -> int:
    """Of networks in the order of their true latencies."""
    return sum(first > second for first, second in itertools.combinations(measured, 2))


def test_thirty_networks_three_percent_apart_are_ranked_and_their_intervals_hold() -> None:
    """The small brother of benchmarks/measurement_protocol.py, with the mean of 5 runs of 50 that Archai takes."""
    rng = np.random.default_rng(5)
    true_ms = [10.0 * 1.031**place for place in range(30)]
    networks = [Network(ms, rng.uniform(0.6, 1.0), rng.uniform(0.5, 1.3)) for ms in true_ms]
    ours, rival = phone(TYPICAL, 5), phone(TYPICAL, 5)
    summaries, means = {}, {}
    for place in rng.permutation(30):
        summaries[place] = measure(ours, networks[place]).summary
        means[place] = np.mean([np.mean(rival.run(networks[place], 50)) for _ in range(5)])
    in_order = [summaries[place] for place in range(30)]
    covered = sum(one.low_ms <= ms <= one.high_ms for one, ms in zip(in_order, true_ms, strict=True))
    assert covered >= 28
    errors, errors_of_means = (
        rank_errors(values) for values in ([one.latency_ms for one in in_order], [means[place] for place in range(30)])
    )
    assert errors_of_means >= 5 * max(1, errors)
