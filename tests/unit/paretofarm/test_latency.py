"""Latency statistics: made-up samples whose truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretofarm.latency import Block, Verdict, bootstrap_interval, judge, summarise

RULES = {"max_relative_ci": 0.02, "min_blocks": 3, "max_blocks": 8}


def block(
    candidate_ms: float,
    reference_ms: float = 1.0,
    *,
    after_ms: float | None = None,
    disturbed: str | None = None,
    jitter: float = 0.0,
) -> Block:
    def samples(centre: float) -> tuple[float, ...]:
        return tuple(centre * (1 + jitter * step) for step in (-1, 0, 0, 0, 1))

    after = reference_ms if after_ms is None else after_ms
    return Block(samples(reference_ms), samples(candidate_ms), samples(after), disturbed)


def test_too_few_blocks_ask_for_more() -> None:
    assert judge([block(2.0)] * 2, baseline_ms=1.0, **RULES) == (Verdict.MORE, None)


def test_steady_blocks_are_enough() -> None:
    verdict, summary = judge([block(2.0)] * 3, baseline_ms=1.0, **RULES)
    assert verdict is Verdict.STEADY
    assert summary is not None
    assert (summary.latency_ms, summary.low_ms, summary.high_ms) == (2.0, 2.0, 2.0)
    assert not summary.noisy


def test_a_phone_that_slows_down_as_a_whole_does_not_change_the_result() -> None:
    slowing = [block(2.0 * pace, 1.0 * pace) for pace in (1.0, 1.2, 1.5, 2.0)]
    _, summary = judge(slowing, baseline_ms=1.0, **RULES)
    assert summary is not None
    assert summary.latency_ms == pytest.approx(2.0)
    assert summary.raw_latency_ms == pytest.approx(2.7)
    assert summary.reference_ratio == pytest.approx(1.35)


def test_blocks_during_which_the_reference_drifted_do_not_count() -> None:
    blocks = [block(2.0), block(2.0), block(9.0, 1.0, after_ms=1.2), block(2.0)]
    verdict, summary = judge(blocks, baseline_ms=1.0, **RULES)
    assert verdict is Verdict.STEADY
    assert summary is not None
    assert (summary.latency_ms, summary.blocks, summary.discarded) == (2.0, 3, 1)


def test_disturbed_blocks_do_not_count() -> None:
    blocks = [block(2.0), block(8.0, disturbed="the power source changed"), block(2.0), block(2.0)]
    _, summary = judge(blocks, baseline_ms=1.0, **RULES)
    assert summary is not None
    assert (summary.latency_ms, summary.discarded) == (2.0, 1)


def test_scattered_blocks_ask_for_more_until_the_limit_and_are_then_noisy() -> None:
    scattered = [block(value) for value in (1.0, 2.0, 3.0, 1.5, 2.5, 1.2, 2.8, 2.0)]
    assert judge(scattered[:7], baseline_ms=1.0, **RULES)[0] is Verdict.MORE
    verdict, summary = judge(scattered, baseline_ms=1.0, **RULES)
    assert verdict is Verdict.NOISY
    assert summary is not None and summary.noisy


def test_a_phone_that_never_gives_a_good_block_still_gives_a_flagged_number() -> None:
    drifting = [block(2.0, 1.0, after_ms=1.5)] * 8
    verdict, summary = judge(drifting, baseline_ms=1.0, **RULES)
    assert verdict is Verdict.NOISY
    assert summary is not None
    assert summary.noisy and summary.latency_ms == pytest.approx(2.0 / 1.25)


def test_where_too_few_blocks_count_the_median_is_over_the_drifting_ones_too() -> None:
    chance = [block(0.9, 1.0), block(0.9, 1.0)]
    drifting = [block(2.0, 1.0, after_ms=1.1)] * 6
    verdict, summary = judge([*chance, *drifting], baseline_ms=1.0, **RULES)
    assert verdict is Verdict.NOISY
    assert summary is not None
    assert summary.latency_ms == pytest.approx(2.0 / 1.05)
    assert (summary.blocks, summary.discarded) == (8, 6)


def test_blocks_far_from_the_usual_pace_do_not_count() -> None:
    blocks = [block(2.2, 1.1), block(2.0), block(2.0), block(1.8, 0.9), block(2.0)]
    verdict, summary = judge(blocks, baseline_ms=1.0, usual_ms=1.0, **RULES)
    assert verdict is Verdict.STEADY
    assert summary is not None
    assert (summary.latency_ms, summary.blocks, summary.discarded) == (2.0, 3, 2)
    assert judge(blocks, baseline_ms=1.0, usual_ms=1.3, **RULES) == (Verdict.MORE, None)


def test_without_a_baseline_the_reference_now_is_the_baseline() -> None:
    summary = summarise([block(2.0, 1.3)] * 3, baseline_ms=None)
    assert summary.latency_ms == pytest.approx(2.0)
    assert summary.reference_ratio == 1.0


def test_percentile_and_minimum_are_of_the_raw_samples() -> None:
    blocks = [block(2.0, jitter=0.1)] * 3
    summary = summarise(blocks, baseline_ms=1.0)
    assert summary.minimum_ms == pytest.approx(1.8)
    assert summary.p90_ms == pytest.approx(2.2)
    assert summary.inferences == 15


@pytest.mark.parametrize("samples", [(), (1.0, float("nan")), (0.0,), (-1.0,)])
def test_impossible_samples_are_refused(samples: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="positive, finite"):
        Block((1.0,), samples, (1.0,))


@given(st.lists(st.floats(0.1, 100), min_size=3, max_size=8))
def test_the_interval_holds_the_median_and_stays_within_the_blocks(values: list[float]) -> None:
    low, high = bootstrap_interval(np.array(values))
    assert min(values) <= low <= np.median(values) <= high <= max(values)


@given(st.lists(st.floats(0.1, 100), min_size=3, max_size=8), st.floats(0.1, 10))
def test_the_interval_scales_with_the_values(values: list[float], factor: float) -> None:
    low, high = bootstrap_interval(np.array(values))
    scaled = bootstrap_interval(np.array(values) * factor)
    assert scaled == pytest.approx((low * factor, high * factor))


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(300):
        low, high = bootstrap_interval(rng.normal(10, 0.5, size=8))
        hits += low <= 10 <= high
    assert 0.88 <= hits / 300 <= 1.0
