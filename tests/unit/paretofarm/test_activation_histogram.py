"""Ranges of activations from their histograms: the extremes, nearly all values, the least squared error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretofarm.activation_histogram import CLIPPED, ActivationHistogram, ClippingRange, Values

LEVELS = 256

seeds = st.integers(0, 2**32 - 1)
spread = st.floats(1e-3, 1e3)
signed = st.booleans()


def histogram(values: Values) -> ActivationHistogram:
    made = ActivationHistogram.empty(float(values.min()), float(values.max()))
    made.add(values)
    return made


def activations(seed: int, scale: float, signed: bool, count: int = 20_000) -> Values:
    """Heavy tails; half of those that are not signed are 0, as after a ReLU."""
    values = np.random.default_rng(seed).standard_t(3, count) * scale
    return (values if signed else values.clip(0)).astype(np.float32)


def quantized(values: Values, chosen: ClippingRange) -> Values:
    """As onnxruntime computes it: a scale, a zero point, integers."""
    scale = (chosen.high - chosen.low) / (LEVELS - 1)
    zero = np.round(-chosen.low / scale)
    levels = np.clip(np.round(values / scale) + zero, 0, LEVELS - 1)
    return ((levels - zero) * scale).astype(np.float32)


def error(values: Values, chosen: ClippingRange) -> float:
    return float(np.mean((values - quantized(values, chosen)).astype(np.float64) ** 2))


@given(seeds, spread, signed)
def test_the_least_error_is_never_above_that_of_the_extremes(seed: int, scale: float, signed: bool) -> None:
    values = activations(seed, scale, signed)
    made = histogram(values)
    extremes, least = made.extremes(), made.least_error(LEVELS)
    assert made.error(least, LEVELS) <= made.error(extremes, LEVELS)
    assert error(values, least) <= error(values, extremes) * 1.01


@given(seeds, spread, signed, st.sampled_from([LEVELS, 2**16]))
def test_every_range_lies_within_the_extremes_and_holds_zero(
    seed: int, scale: float, signed: bool, levels: int
) -> None:
    made = histogram(activations(seed, scale, signed))
    extremes = made.extremes()
    for chosen in (made.percentile(), made.least_error(levels)):
        assert extremes.low <= chosen.low <= 0 <= chosen.high <= extremes.high


@given(seeds, spread, signed)
def test_the_percentile_clips_a_ten_thousandth_at_each_end_at_most(seed: int, scale: float, signed: bool) -> None:
    values = activations(seed, scale, signed, count=100_000)
    chosen = histogram(values).percentile()
    bin_width = float(values.max() - values.min()) / 4096
    assert np.mean(values > chosen.high + bin_width / 100) <= CLIPPED
    assert np.mean(values < chosen.low - bin_width / 100) <= CLIPPED
    assert np.mean(values > chosen.high - 2 * bin_width) > CLIPPED / 2, "no wider than it has to be"


def test_extremes_are_those_of_the_values_to_the_last_bit() -> None:
    values = activations(1, 1.0, signed=True)
    extremes = histogram(values).extremes()
    assert (np.float32(extremes.low), np.float32(extremes.high)) == (values.min(), values.max())


def test_parts_of_a_tensor_count_as_the_whole() -> None:
    values = activations(2, 1.0, signed=True)
    whole, parts = histogram(values), ActivationHistogram.empty(float(values.min()), float(values.max()))
    for part in np.array_split(values, 7):
        parts.add(part)
    np.testing.assert_array_equal(whole.counts, parts.counts)
    assert whole.counts.sum() == values.size


def test_one_value_far_from_a_million_others_is_clipped() -> None:
    """Its squared error is worth less than finer levels for the others."""
    values = np.append(np.random.default_rng(0).random(3_000_000, np.float32), np.float32(30))
    made = histogram(values)
    least = made.least_error(LEVELS)
    assert 1 <= least.high < 20
    assert made.percentile().high == pytest.approx(1, abs=0.02)
    assert error(values, least) < 0.8 * error(values, made.extremes())


def test_a_value_far_away_that_is_no_rarity_is_not_clipped() -> None:
    values = np.concatenate([np.random.default_rng(0).random(10_000, np.float32), np.full(2_000, 30, np.float32)])
    made = histogram(values)
    assert made.least_error(LEVELS).high == made.percentile().high == 30


def test_sixteen_bits_have_no_use_for_clipping_what_is_not_very_far() -> None:
    values = activations(3, 1.0, signed=True)
    made = histogram(values)
    assert made.least_error(2**16) == made.extremes()


@pytest.mark.parametrize("value", [0.0, -2.0, 3.0])
def test_a_tensor_that_is_always_the_same_keeps_its_value(value: float) -> None:
    made = histogram(np.full(100, value, np.float32))
    expected = ClippingRange.around(value, value)
    assert made.extremes() == made.percentile() == expected
    chosen = made.least_error(LEVELS)
    assert value == 0 or error(np.full(100, value, np.float32), chosen) < 1e-6
