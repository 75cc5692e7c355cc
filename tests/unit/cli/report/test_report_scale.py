"""Numbers at axes, and where values are on them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.report.scale import scale_of, tick_texts

VALUES = st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 6)), min_size=1, max_size=20)


@given(VALUES, st.booleans())
def test_every_value_is_within_the_ends_and_ticks_are_few_and_ascending(values: list[float], from_zero: bool) -> None:
    values = [abs(value) for value in values] if from_zero else values
    scale = scale_of(values, 10.0, 110.0, from_zero=from_zero)
    assert all(10.0 - 1e-6 <= scale(value) <= 110.0 + 1e-6 for value in values)
    ticks = scale.ticks(6)
    assert ticks == sorted(set(ticks))
    assert len(ticks) <= 8
    assert all(scale.low <= tick * (1 + 1e-9) and tick * (1 - 1e-9) <= scale.high for tick in ticks if tick > 0)


@given(st.lists(st.floats(1e-3, 1e9), min_size=2, max_size=20), st.integers(2, 9))
def test_a_wide_axis_is_logarithmic_and_has_ticks_too(values: list[float], wanted: int) -> None:
    scale = scale_of(values, 0.0, 100.0)
    assert scale.log == (max(values) > 10 * min(values))
    assert 1 <= len(scale.ticks(wanted)) <= wanted + 2 or not scale.log


def test_one_value_has_room_around_it() -> None:
    scale = scale_of([3.0], 0.0, 100.0)
    assert scale(3.0) == pytest.approx(50.0)
    assert len(scale.ticks(5)) >= 2


def test_of_nothing_there_is_an_axis() -> None:
    assert scale_of([], 0.0, 100.0).ticks(5)


@pytest.mark.parametrize(
    ("ticks", "texts"),
    [
        ([0.0, 0.05, 0.1], ["0", "0.05", "0.10"]),
        ([1.0, 2.0, 3.0], ["1", "2", "3"]),
        ([10_000.0, 20_000.0], ["10k", "20k"]),
        ([2e6, 5e6, 1e7], ["2M", "5M", "10M"]),
        ([0.2, 1.0, 5.0], ["0.2", "1", "5"]),
        ([-0.5, 0.0, 0.5], ["-0.5", "0", "0.5"]),
        ([], []),
    ],
)
def test_ticks_are_written_alike(ticks: list[float], texts: list[str]) -> None:
    assert tick_texts(ticks) == texts
