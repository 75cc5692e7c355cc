"""Who is trained further: pure decisions on a history, as the scheduler's tick makes them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from factories import make_experiment
from hypothesis import given, settings
from hypothesis import strategies as st

from paretofarm.errors import ConfigError
from paretofarm.fidelity import Fidelity, Promotion, Wanted, best_first, promotions
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import Goal, rung_key
from paretofarm.objective import Objective

OBJECTIVES = (
    Objective(name="miou", goal=Goal.MAXIMIZE),
    Objective(name="latency_ms", goal=Goal.MINIMIZE, device="virtual"),
)
RUNGS = (1, 3, 9)
PAUSED, RUNNING, COMPLETE = CandidateStatus.PAUSED, CandidateStatus.RUNNING, CandidateStatus.COMPLETE
PLENTY = Wanted(slots=100, complete=100)


def fidelity(promote: float = 0.25) -> Fidelity:
    return Fidelity(rungs=RUNGS, promote=promote)


def member(
    number: int, miou: float, latency_ms: float, *, rung: int = 0, status: CandidateStatus = PAUSED, **changed: float
) -> Member:
    """One that had the same mIoU at every rung so far, but for `changed` (`at_1=0.3`: after that rung)."""
    metrics = {rung_key("miou", RUNGS[at]): changed.get(f"at_{at}", miou) for at in range(rung + 1)}
    known = {**metrics, "miou": changed.get(f"at_{rung}", miou), "latency_ms@virtual": latency_ms}
    return Member(number, f"{number:064x}", status, known, rung)


def history(members: Sequence[Member], objectives: Sequence[Objective] = OBJECTIVES) -> History:
    return History(members, objectives, (), {}, RUNGS)


def test_the_best_share_of_a_rung_goes_on() -> None:
    members = [member(number, miou=0.1 * number, latency_ms=5.0) for number in range(8)]
    assert promotions(history(members), fidelity(), PLENTY) == [Promotion(7, 1), Promotion(6, 1)]


def test_nobody_goes_on_before_the_share_is_a_whole_candidate() -> None:
    members = [member(number, miou=0.1 * number, latency_ms=5.0) for number in range(3)]
    assert promotions(history(members), fidelity(), PLENTY) == []


def test_those_that_went_on_before_count_for_the_share() -> None:
    gone = [member(7, 0.7, 5.0, status=RUNNING), member(6, 0.6, 5.0, rung=1, status=RUNNING)]
    rest = [member(number, miou=0.1 * number, latency_ms=5.0) for number in range(6)]
    assert promotions(history([*gone, *rest]), fidelity(), PLENTY) == []


def test_one_that_was_passed_over_goes_on_when_worse_ones_have_come() -> None:
    early = [member(0, 0.9, 5.0, status=RUNNING), member(1, 0.5, 5.0), *(member(n, 0.1, 5.0) for n in (2, 3))]
    assert promotions(history(early), fidelity(), PLENTY) == []
    late = [member(number, 0.2, 6.0) for number in range(4, 8)]
    assert promotions(history([*early, *late]), fidelity(), PLENTY) == [Promotion(1, 1)]


def test_what_was_better_at_the_rung_goes_on_however_it_did_later() -> None:
    """Both are judged by the rung that they share."""
    later = member(0, 0.3, 5.0, rung=1, status=RUNNING, at_0=0.3, at_1=0.9)
    members = [later, member(1, 0.5, 5.0), member(2, 0.1, 5.0), member(3, 0.1, 5.0)]
    assert promotions(history(members), fidelity(), PLENTY) == [Promotion(1, 1)]


def test_measured_objectives_decide_too() -> None:
    """A front of two: the accurate one and the fast one; the third is dominated."""
    members = [member(0, 0.9, 9.0), member(1, 0.2, 1.0), member(2, 0.2, 9.0), member(3, 0.1, 9.5)]
    chosen = promotions(history(members), fidelity(0.5), PLENTY)
    assert {promotion.number for promotion in chosen} == {0, 1}


def test_of_one_rank_the_one_that_adds_most_to_the_hypervolume_goes_on() -> None:
    members = [member(0, 0.10, 1.0), member(1, 0.11, 1.1), member(2, 0.50, 1.2), member(3, 0.51, 9.0)]
    assert [each.number for each in promotions(history(members), fidelity(0.25), PLENTY)] == [2]


def test_higher_rungs_come_first() -> None:
    low = [member(number, 0.1 * number, 5.0) for number in range(4)]
    high = [member(number, 0.1 * number, 5.0, rung=1) for number in range(4, 8)]
    [first] = promotions(history([*low, *high]), fidelity(), replace(PLENTY, slots=1))
    assert first == Promotion(7, 2)


def test_no_more_go_to_the_last_rung_than_are_wanted() -> None:
    high = [member(number, 0.1 * number, 5.0, rung=1) for number in range(8)]
    assert promotions(history(high), fidelity(), Wanted(slots=8, complete=1)) == [Promotion(7, 2)]
    assert promotions(history(high), fidelity(), Wanted(slots=8, complete=0)) == []


def test_where_nothing_new_can_come_the_best_that_wait_go_on_whoever_they_are() -> None:
    members = [member(0, 0.3, 5.0), member(1, 0.5, 5.0)]
    wanted = Wanted(slots=1, complete=9, whoever=True)
    assert promotions(history(members), fidelity(), wanted) == [Promotion(1, 1)]


def test_the_hopeless_are_passed_over_and_go_last_where_whoever_may() -> None:
    members = [member(number, 0.1 * number, 5.0) for number in range(8)]
    hopeless = {7: "at best …"}
    assert promotions(history(members), fidelity(), PLENTY, hopeless=hopeless) == [Promotion(6, 1)]
    everybody = promotions(history(members), fidelity(), replace(PLENTY, whoever=True), hopeless=hopeless)
    assert [promotion.number for promotion in everybody] == [6, 5, 4, 3, 2, 1, 0, 7]


@pytest.mark.parametrize("status", [CandidateStatus.FAILED, CandidateStatus.INFEASIBLE])
def test_the_failed_and_infeasible_count_for_nothing(status: CandidateStatus) -> None:
    members = [member(number, 0.5, 5.0, status=status) for number in range(7)]
    assert promotions(history([*members, member(7, 0.1, 9.0)]), fidelity(), PLENTY) == []


def test_one_without_a_measurement_neither_goes_on_nor_counts() -> None:
    members = [member(number, 0.1 * number, 5.0) for number in range(3)]
    unmeasured = Member(3, "3", PAUSED, {"miou": 0.9, rung_key("miou", 1): 0.9}, 0)
    assert promotions(history([*members, unmeasured]), fidelity(), PLENTY) == []


def test_accuracy_on_a_device_is_stood_for_by_that_of_the_training() -> None:
    scored = (Objective(name="device_miou", goal=Goal.MAXIMIZE, device="virtual"), OBJECTIVES[1])
    members = [member(number, miou=0.1 * number, latency_ms=5.0) for number in range(4)]
    assert promotions(history(members, scored), fidelity(), PLENTY) == [Promotion(3, 1)]


def test_with_one_objective_the_best_go_on() -> None:
    members = [member(number, miou=0.1 * number, latency_ms=5.0) for number in range(4)]
    assert promotions(history(members, OBJECTIVES[:1]), fidelity(0.5), PLENTY) == [Promotion(3, 1), Promotion(2, 1)]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30), st.randoms())
def test_the_order_of_a_history_decides_nothing(values: list[tuple[int, int]], chance: Random) -> None:
    members = [member(number, float(miou), float(ms) + 1) for number, (miou, ms) in enumerate(values)]
    shuffled = sorted(members, key=lambda _: chance.random())
    assert promotions(history(members), fidelity(), PLENTY) == promotions(history(shuffled), fidelity(), PLENTY)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=1, max_size=20), st.integers(1, 20))
def test_nobody_is_chosen_before_one_that_dominates_him(values: list[tuple[int, int, int]], count: int) -> None:
    points = np.array(values, dtype=np.float64)
    chosen = best_first(points, count)
    assert len(chosen) == min(count, len(points)) == len(set(chosen))
    for index in chosen:
        better = [i for i, p in enumerate(points) if (p <= points[index]).all() and (p < points[index]).any()]
        assert set(better) <= set(chosen)


def training(**changed: object) -> Mapping[str, object]:
    dataset = {"type": "face_synthetics", "path": "data/faces", "size": 64}
    return {"type": "segmentation", "dataset": dataset, **changed}


def test_the_rungs_are_written_once_or_twice_alike() -> None:
    rungs = {"rungs": [1, 3, 9]}
    for epochs in ({}, {"epochs": [1, 3, 9]}):
        experiment = make_experiment(fidelity=rungs, training=training(**epochs))
        assert experiment.rungs == (1, 3, 9)
        assert experiment.plan().by_promotion
    with pytest.raises(ConfigError, match=r"fidelity.rungs is \[1, 3, 9\], training.epochs is \[1\]: write the same"):
        make_experiment(fidelity=rungs, training=training(epochs=[1]))


def test_one_rung_is_no_fidelity_and_rungs_increase() -> None:
    with pytest.raises(ConfigError, match=r"fidelity\.rungs"):
        make_experiment(fidelity={"rungs": [3]}, training=training())
    with pytest.raises(ConfigError, match="must increase"):
        make_experiment(fidelity={"rungs": [3, 3]}, training=training())


def test_fidelity_needs_something_that_is_trained() -> None:
    objectives = [{"name": "latency_ms", "goal": "minimize", "device": "virtual"}]
    with pytest.raises(ConfigError, match="nothing is trained"):
        make_experiment(fidelity={"rungs": [1, 3]}, training=training(), objectives=objectives)


def test_a_search_by_rungs_may_propose_as_many_more_as_it_leaves_behind() -> None:
    assert make_experiment().proposal_limit == 20 * 24
    by_rungs = make_experiment(fidelity={"rungs": [1, 3, 9], "promote": 0.5}, training=training())
    assert by_rungs.proposal_limit == 4 * 20 * 24
