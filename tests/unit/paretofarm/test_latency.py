"""Latency statistics: made-up samples whose truth is known."""

import pytest

from paretofarm.latency import Block, Verdict, judge, summarise

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
    assert summary.latency_ms == pytest.approx(2.0)
    assert 1.96 < summary.low_ms < 2.0 < summary.high_ms < 2.04  # three blocks may agree by chance
    assert not summary.noisy


def test_a_phone_that_slows_down_as_a_whole_does_not_change_the_result() -> None:
    slowing = [block(2.0 * pace, 1.0 * pace) for pace in (1.0, 1.2, 1.5, 2.0)]
    _, summary = judge(slowing, baseline_ms=1.0, **RULES)
    assert summary is not None
    assert summary.latency_ms == pytest.approx(2.0)
    assert summary.raw_latency_ms == pytest.approx(2.7)
    assert (summary.reference_ratio, summary.sensitivity) == pytest.approx((1.35, 1.0))


def test_a_network_that_feels_half_of_what_the_reference_feels_is_corrected_by_half() -> None:
    blocks = [block(2.0 * pace**0.5, pace) for pace in (1.0, 1.25, 1.5, 1.1, 1.4, 1.05, 1.3, 1.2)]
    summary = summarise(blocks, baseline_ms=1.0, rested_ms=1.0)
    assert summary.latency_ms == pytest.approx(2.0, rel=0.01)
    assert summary.sensitivity == pytest.approx(0.5, abs=0.05)


def test_phones_of_a_class_are_brought_to_its_pace() -> None:
    slow_phone = summarise([block(3.0, 1.5)] * 3, baseline_ms=1.0, rested_ms=1.5)
    assert slow_phone.latency_ms == pytest.approx(2.0)


def test_the_further_from_the_pace_at_rest_the_wider_the_interval() -> None:
    near, far = (summarise([block(2.0 * pace, pace)] * 5, baseline_ms=1.0, rested_ms=1.0) for pace in (1.0, 1.08))
    assert far.relative_ci > 1.5 * near.relative_ci


def test_blocks_during_which_the_reference_drifted_do_not_count() -> None:
    blocks = [block(2.0), block(2.0), block(9.0, 1.0, after_ms=1.2), block(2.0)]
    verdict, summary = judge(blocks, baseline_ms=1.0, **RULES)
    assert verdict is Verdict.STEADY
    assert summary is not None
    assert (summary.latency_ms, summary.blocks, summary.discarded) == (pytest.approx(2.0), 3, 1)


def test_disturbed_blocks_do_not_count() -> None:
    blocks = [block(2.0), block(8.0, disturbed="the power source changed"), block(2.0), block(2.0)]
    _, summary = judge(blocks, baseline_ms=1.0, **RULES)
    assert summary is not None
    assert (summary.latency_ms, summary.discarded) == (pytest.approx(2.0), 1)


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


def test_where_too_few_blocks_count_the_drifting_ones_do_too() -> None:
    chance = [block(0.9, 1.0), block(0.9, 1.0)]
    drifting = [block(2.0, 1.0, after_ms=1.1)] * 6
    verdict, summary = judge([*chance, *drifting], baseline_ms=1.0, **RULES)
    assert verdict is Verdict.NOISY
    assert summary is not None
    assert summary.latency_ms == pytest.approx(2.0 / 1.05, rel=0.1)
    assert (summary.blocks, summary.discarded) == (8, 6)


def test_a_phone_that_knows_no_rest_is_compared_with_itself() -> None:
    slow, fast = (
        judge([block(2.0 * pace, pace)] * 3, baseline_ms=1.0, usual_ms=1.0, **RULES)[1] for pace in (1.05, 1.0)
    )
    assert slow is not None and fast is not None
    assert slow.latency_ms == pytest.approx(fast.latency_ms)
    assert slow.relative_ci == pytest.approx(fast.relative_ci)


def test_blocks_far_from_the_usual_pace_do_not_count() -> None:
    blocks = [block(2.2, 1.1), block(2.0), block(2.0), block(1.8, 0.9), block(2.0)]
    verdict, summary = judge(blocks, baseline_ms=1.0, usual_ms=1.0, **RULES)
    assert verdict is Verdict.STEADY
    assert summary is not None
    assert (summary.latency_ms, summary.blocks, summary.discarded) == (pytest.approx(2.0), 3, 2)
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
