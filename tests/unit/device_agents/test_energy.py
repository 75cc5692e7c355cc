"""The battery's samples: vendors' units and signs, and what makes no sense."""

import pytest

from device_agents.energy import BatterySample, parse_samples, power

MICRO = [BatterySample(-1_500_000, 4_000_000)] * 20


@pytest.mark.parametrize(
    ("current", "voltage"),
    [(-1_500_000, 4_000_000), (1_500_000, 4_000_000), (-1500, 4_000_000), (1500, 4000), (-1_500_000, 4)],
    ids=["as the kernel promises", "drained is positive", "mA", "mA and mV", "V"],
)
def test_units_and_sign_are_read_off_the_values(current: int, voltage: int) -> None:
    found = power([BatterySample(current, voltage)] * 10)
    assert found is not None
    assert (found.watts, found.volts, found.samples) == pytest.approx((6.0, 4.0, 10))


def test_the_energy_of_an_inference_is_power_times_latency_and_marked_as_an_estimate() -> None:
    found = power(MICRO)
    assert found is not None
    document = found.to_dict(latency_ms=5.0)
    assert document["millijoules_per_inference"] == pytest.approx(30.0)
    assert document["estimated"] is True


def test_a_few_wild_samples_do_not_move_it() -> None:
    found = power([*MICRO, BatterySample(-9_000_000, 4_000_000), BatterySample(0, 4_000_000)])
    assert found is not None and found.watts == pytest.approx(6.0)


@pytest.mark.parametrize(
    "samples",
    [[], MICRO[:4], [*MICRO, BatterySample(900_000, 4_000_000)], [BatterySample(-1, 1)] * 9, [BatterySample(0, 4)] * 9],
    ids=["none", "too few", "charged now and then", "no battery has that voltage", "always zero"],
)
def test_what_makes_no_sense_is_no_power(samples: list[BatterySample]) -> None:
    assert power(samples) is None


def test_lines_of_the_shell() -> None:
    text = "-1500000 4000000\nsh: /sys/x: Permission denied\n1500 4000\n-15"
    assert parse_samples(text) == [BatterySample(-1_500_000, 4_000_000), BatterySample(1500, 4000)]
