"""Who is measured again, and what several measurements say together."""

import math

import numpy as np
import pytest
from factories import make_experiment

from paretofarm.errors import ConfigError
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import Goal
from paretofarm.objective import Objective
from paretofarm.racing import Interval, Racing, Repeated, contested, pool

MIOU = Objective(name="miou", goal=Goal.MAXIMIZE)
LATENCIES = {device: Objective(name="latency_ms", goal=Goal.MINIMIZE, device=device) for device in ("a", "b")}
RACING = Racing(measurements=3, candidates=50)


def member(number: int, miou: float, *latencies: tuple[float, float], **status: CandidateStatus) -> Member:
    """latencies: value and half-width of the interval on the device classes a and b."""
    named = dict(zip((f"latency_ms@{device}" for device in "ab"), latencies, strict=False))
    return Member(
        number,
        str(number),
        status.get("status", CandidateStatus.COMPLETE),
        {"miou": miou, **{key: value for key, (value, _) in named.items()}},
        intervals={key: (value - half, value + half) for key, (value, half) in named.items()},
    )


def doubts(
    *members: Member, devices: str = "a", repeated: tuple[Repeated, ...] = (), racing: Racing = RACING
) -> set[tuple[int, str, tuple[int, ...]]]:
    objectives = (MIOU, *(LATENCIES[device] for device in devices))
    found = contested(History(members, objectives, (), {}), racing, repeated)
    return {(each.number, each.device, each.rivals) for each in found}


def test_two_that_differ_in_accuracy_and_overlap_in_latency_are_measured_again() -> None:
    """Whether the less accurate one is on the front is whether it is faster."""
    assert doubts(member(0, 0.6, (3.0, 0.2)), member(1, 0.5, (2.9, 0.2))) == {(0, "a", (1,)), (1, "a", (0,))}


def test_one_that_is_faster_for_sure_needs_no_second_look() -> None:
    assert doubts(member(0, 0.6, (3.0, 0.1)), member(1, 0.5, (2.0, 0.1))) == set()


def test_one_that_is_dominated_for_sure_takes_part_in_nothing() -> None:
    best, beaten = member(0, 0.6, (3.0, 0.1)), member(1, 0.5, (9.0, 0.1))
    assert doubts(best, beaten, member(2, 0.4, (9.05, 0.1))) == set()


def test_one_that_may_be_on_the_front_though_it_is_not_now_is_measured_again() -> None:
    assert doubts(member(0, 0.6, (3.0, 0.2)), member(1, 0.5, (3.1, 0.2))) == {(0, "a", (1,)), (1, "a", (0,))}


def test_equals_without_noise_are_in_no_doubt() -> None:
    assert doubts(member(0, 0.6, (3.0, 0.0)), member(1, 0.6, (3.0, 0.0))) == set()


def test_only_complete_candidates_are() -> None:
    failed = member(1, 0.5, (2.9, 0.2), status=CandidateStatus.INFEASIBLE)
    assert doubts(member(0, 0.6, (3.0, 0.2)), failed) == set()


def test_each_device_class_has_its_own_front_and_its_own_doubts() -> None:
    first, second = member(0, 0.6, (3.0, 0.1), (5.0, 0.5)), member(1, 0.5, (2.0, 0.1), (4.8, 0.5))
    assert doubts(first, second, devices="ab") == {(0, "b", (1,)), (1, "b", (0,))}


def test_nobody_is_measured_more_often_than_asked_for_nor_whom_no_phone_can_measure_again() -> None:
    pair = (member(0, 0.6, (3.0, 0.2)), member(1, 0.5, (2.9, 0.2)))
    assert doubts(*pair, repeated=(Repeated(0, "a", 3),)) == {(1, "a", (0,))}
    assert doubts(*pair, repeated=(Repeated(0, "a", 2), Repeated(1, "a", 1, given_up=True))) == {(0, "a", (1,))}
    assert doubts(*pair, repeated=(Repeated(0, "b", 3),)) == {(0, "a", (1,)), (1, "a", (0,))}


def test_where_too_many_are_in_doubt_those_with_the_most_rivals_are_measured_and_those_once_begun() -> None:
    crowd = [member(number, 0.5 + 0.01 * number, (3.0, 0.3)) for number in range(4)]
    crowd += [member(8, 0.7, (6.0, 0.3)), member(9, 0.71, (6.1, 0.3))]
    few = Racing(measurements=3, candidates=4)
    assert {number for number, _, _ in doubts(*crowd, racing=few)} == {0, 1, 2, 3}
    begun = (Repeated(8, "a", 2), Repeated(9, "a", 2))
    assert {number for number, _, _ in doubts(*crowd, racing=few, repeated=begun)} == {8, 9, 0, 1}


def test_an_empty_front_is_in_no_doubt() -> None:
    assert doubts() == set()


def test_two_that_agree_are_surer_together() -> None:
    found = pool([Interval(3.0, 2.9, 3.1), Interval(3.02, 2.92, 3.12)])
    assert 3.0 < found.value < 3.02
    assert found.high - found.low == pytest.approx(0.2 / math.sqrt(2), rel=0.02)


def test_two_that_contradict_each_other_are_less_sure_than_either() -> None:
    found = pool([Interval(3.0, 2.95, 3.05), Interval(4.0, 3.95, 4.05)])
    assert found.value == pytest.approx(math.sqrt(12.0), rel=0.01)
    assert found.low < 3.0 and found.high > 4.0


def test_a_wide_interval_weighs_little() -> None:
    assert pool([Interval(3.0, 2.99, 3.01), Interval(3.1, 2.6, 3.7)]).value == pytest.approx(3.0, abs=0.005)


def test_one_alone_and_one_without_noise_are_what_they_are() -> None:
    alone = pool([Interval(3.0, 2.9, 3.1034)])
    assert (alone.value, alone.low, alone.high) == pytest.approx((3.0, 2.9, 3.1034), rel=1e-4)
    exact = pool([Interval(3.0, 3.0, 3.0), Interval(3.0, 3.0, 3.0)])
    assert (exact.value, exact.low, exact.high) == pytest.approx((3.0, 3.0, 3.0))


def test_intervals_hold_the_truth_where_sessions_differ_by_as_much_as_they_say() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        values = 3.0 * np.exp(rng.normal(0, 0.02, 3))
        found = pool(
            [Interval(value, value * math.exp(-0.0392), value * math.exp(0.0392)) for value in values.tolist()]
        )
        hits += found.low <= 3.0 <= found.high
    assert 0.92 < hits / 400 <= 1.0


def test_a_search_without_a_latency_has_nothing_to_race_for() -> None:
    with pytest.raises(ConfigError, match="nothing to measure again"):
        make_experiment(objectives=[{"name": "miou", "goal": "maximize"}], racing={"measurements": 3})
