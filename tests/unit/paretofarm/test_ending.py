"""What a search says that ended without what was asked for."""

from paretofarm.ending import shortfall
from paretofarm.history import Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.objective import Constraint

LIMITS = [Constraint(name="macs", at_most=1e6), Constraint(name="latency_ms", device="sm8550", at_most=4)]


def member(number: int, status: CandidateStatus, **metrics: float) -> Member:
    return Member(number, f"{number:064x}", status, {name.replace("_on_", "@"): metrics[name] for name in metrics})


def test_enough_complete_candidates_need_no_word() -> None:
    members = [member(0, CandidateStatus.COMPLETE), member(1, CandidateStatus.INFEASIBLE, macs=2e6)]
    assert shortfall(members, LIMITS, wanted=1, limit=2) is None


def test_a_search_that_gives_up_says_which_limits_were_broken_and_how_often() -> None:
    members = [
        member(0, CandidateStatus.COMPLETE, macs=1e5, latency_ms_on_sm8550=3.0),
        member(1, CandidateStatus.INFEASIBLE, macs=2e6),
        member(2, CandidateStatus.INFEASIBLE, macs=3e6),
        member(3, CandidateStatus.INFEASIBLE, macs=1e5, latency_ms_on_sm8550=5.0),
        member(4, CandidateStatus.FAILED),
    ]
    assert shortfall(members, LIMITS, wanted=4, limit=5) == (
        "gave up after 5 proposals with 1 of 4 complete: "
        "2 broke macs at most 1e+06, 1 broke latency_ms@sm8550 at most 4, 1 failed"
    )


def test_a_space_without_another_architecture_ends_the_search() -> None:
    members = [member(0, CandidateStatus.COMPLETE)]
    assert shortfall(members, (), wanted=4, limit=80) == "all 1 architectures were tried with 1 of 4 complete"
