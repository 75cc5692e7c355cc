import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from paretofarm.architecture import Architecture
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import Goal, rung_key
from paretofarm.objective import Constraint, Objective

OBJECTIVES = (
    Objective(name="miou", goal=Goal.MAXIMIZE),
    Objective(name="latency_ms", goal=Goal.MINIMIZE, device="virtual"),
)
GOOD = {"miou": 0.6, "latency_ms@virtual": 3.0, "parameters": 100.0}


def history(*members: Member, limit: float | None = None) -> History:
    constraints = [Constraint(name="parameters", at_most=limit)] if limit else []
    return History(members, OBJECTIVES, constraints, {member.number: Architecture("s", {}) for member in members})


def test_only_complete_members_are_points() -> None:
    members = [Member(number, str(number), status, GOOD) for number, status in enumerate(CandidateStatus)]
    seen = history(*members)
    assert [member.status for member in seen.feasible] == [CandidateStatus.COMPLETE]
    assert seen.points.tolist() == [[-0.6, 3.0]]


def test_everything_proposed_is_remembered() -> None:
    members = [Member(number, str(number), status, {}) for number, status in enumerate(CandidateStatus)]
    assert history(*members).digests == {str(member.number) for member in members}
    assert history(*members).proposed == len(CandidateStatus)


def test_members_that_break_a_constraint_or_lack_its_metric_are_no_points() -> None:
    small = Member(1, "a", CandidateStatus.COMPLETE, GOOD)
    big = Member(2, "b", CandidateStatus.COMPLETE, {**GOOD, "parameters": 1000.0})
    unknown = Member(3, "c", CandidateStatus.COMPLETE, {"miou": 0.6, "latency_ms@virtual": 3.0})
    assert history(small, big, unknown, limit=500).feasible == (small,)


def test_a_member_without_an_objective_is_no_point() -> None:
    assert history(Member(1, "a", CandidateStatus.COMPLETE, {"miou": 0.5})).points.shape == (0, 2)


def test_an_empty_history_has_empty_points() -> None:
    assert history().points.shape == (0, 2)
    assert history().proposed == 0


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_history_that_knows_the_one_before_says_the_same(seed: int) -> None:
    """Tick after tick: members come, end, run again, are read anew; some histories nobody asks anything."""
    rng = np.random.default_rng(seed)
    limit = Constraint(name="parameters", at_most=500)
    members: list[Member] = []
    before: History | None = None
    for _ in range(12):
        for number in rng.integers(0, len(members) + 1, 3).tolist():
            members[number : number + 1] = [drawn_member(number, rng)]
        order = [members[place] for place in rng.permutation(len(members))]
        limits = [limit] if rng.random() < 0.9 else []
        before = History(order, OBJECTIVES, limits, {}, before=before)
        asked = rng.choice(["points", "digests", "both", "nothing"])
        alone = History(order, OBJECTIVES, limits, {})
        if asked in ("points", "both"):
            assert before.points.tolist() == alone.points.tolist()
            assert before.feasible == alone.feasible
        if asked in ("digests", "both"):
            assert before.digests == alone.digests


def drawn_member(number: int, rng: np.random.Generator) -> Member:
    metrics = {key: float(rng.integers(0, 1000)) for key in GOOD if rng.random() < 0.9}
    status = CandidateStatus.COMPLETE if rng.random() < 0.7 else CandidateStatus.RUNNING
    return Member(number, str(number), status, metrics)


def test_the_history_before_may_be_of_other_candidates() -> None:
    old = [Member(number, f"old {number}", CandidateStatus.COMPLETE, GOOD) for number in range(3)]
    new = [Member(number, f"new {number}", CandidateStatus.RUNNING, {}) for number in range(3)]
    before = history(*old)
    assert (len(before.points), len(before.digests)) == (3, 3)
    for members in (new, old[:2], [old[0], *new[1:], *new[:1]]):
        after = History(members, OBJECTIVES, [], {}, before=before)
        assert after.points.tolist() == history(*members).points.tolist()
        assert after.digests == {member.digest for member in members}


def test_members_are_in_order_of_their_numbers() -> None:
    late, early = (Member(number, str(number), CandidateStatus.COMPLETE, GOOD) for number in (9, 2))
    assert [member.number for member in history(late, early).feasible] == [2, 9]


def at_rungs(number: int, status: CandidateStatus, **metrics: float) -> Member:
    keyed = {rung_key("miou", int(name.removeprefix("after_"))): value for name, value in metrics.items()}
    return Member(number, str(number), status, {**keyed, "latency_ms@virtual": 3.0}, len(metrics) - 1)


def test_standings_are_of_those_that_came_as_far_as_a_rung_as_they_were_there() -> None:
    waiting = at_rungs(0, CandidateStatus.PAUSED, after_1=0.1)
    ahead = at_rungs(1, CandidateStatus.RUNNING, after_1=0.2, after_3=0.9)
    broken = at_rungs(2, CandidateStatus.FAILED, after_1=0.3)
    fresh = Member(3, "3", CandidateStatus.RUNNING, {"latency_ms@virtual": 3.0})
    seen = History([waiting, ahead, broken, fresh], OBJECTIVES, (), {}, (1, 3, 9))
    assert seen.standings(0).members == (waiting, ahead)
    assert seen.standings(0).points.tolist() == [[-0.1, 3.0], [-0.2, 3.0]]
    assert seen.standings(1).members == (ahead,)
    assert seen.standings(1).points.tolist() == [[-0.9, 3.0]]
    assert seen.points.shape == (0, 2)


def test_the_last_rung_is_what_complete_members_have() -> None:
    complete = Member(0, "0", CandidateStatus.COMPLETE, GOOD)
    assert History([complete], OBJECTIVES, (), {}, (1, 3)).standings(1).points.tolist() == [[-0.6, 3.0]]


def test_what_was_passed_over_is_not_to_be_proposed_but_is_nobody() -> None:
    before = history(Member(0, "a", CandidateStatus.COMPLETE, GOOD))
    after = before.passing_over({"b"}).passing_over({"c"})
    assert after.digests == {"a", "b", "c"}
    assert (before.digests, after.proposed, after.points.tolist()) == ({"a"}, 1, before.points.tolist())


def test_what_others_measured_counts_once_and_where_nothing_more_is_known() -> None:
    latency = {"latency_ms@virtual": 3.0}
    measured = [Member(-9 - place, digest, CandidateStatus.PAUSED, latency) for place, digest in enumerate("abc")]
    observed = [Member(-1, "b", CandidateStatus.COMPLETE, GOOD)]
    own = [Member(0, "a", CandidateStatus.RUNNING, {})]
    seen = History(own, OBJECTIVES, (), {}, observations=observed, measured=measured)
    assert [member.digest for member in seen.measured] == ["c"]
    assert seen.passing_over({"c"}).measured == seen.measured
