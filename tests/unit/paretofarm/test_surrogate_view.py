"""At which rung a guided search looks at its history."""

from paretofarm.architecture import Architecture
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import Goal
from paretofarm.objective import Objective
from paretofarm.surrogates.view import ENOUGH, View

OBJECTIVES = (
    Objective(name="device_miou", goal=Goal.MAXIMIZE, device="phone"),
    Objective(name="latency_ms", goal=Goal.MINIMIZE, device="phone"),
)
RUNGS = (1, 3, 9)


def member(number: int, rung: int) -> Member:
    metrics = {"latency_ms@phone": 1.0 + number, "miou": 0.5}
    metrics |= {f"miou@epochs={epochs}": 0.1 * epochs for epochs in RUNGS[: rung + 1]}
    complete = rung == len(RUNGS) - 1
    metrics |= {"device_miou@phone": 0.6} if complete else {}
    status = CandidateStatus.COMPLETE if complete else CandidateStatus.PAUSED
    return Member(number, str(number), status, metrics, rung)


def history(*rungs: int) -> History:
    architectures: dict[int, Architecture] = {}
    return History([member(number, rung) for number, rung in enumerate(rungs)], OBJECTIVES, (), architectures, RUNGS)


def test_as_few_are_complete_the_highest_rung_with_enough_is_looked_at() -> None:
    view = View.of(history(*[0] * 9, *[1] * (ENOUGH - 2), 2, 2))
    assert view.rung == 1
    assert len(view.members) == ENOUGH
    assert [view.key(objective) for objective in OBJECTIVES] == ["miou@epochs=3", "latency_ms@phone"]
    assert view.course("miou@epochs=3") == ["miou@epochs=1", "miou@epochs=3"]


def test_once_enough_are_complete_it_is_the_last() -> None:
    view = View.of(history(*[0] * 9, *[2] * ENOUGH))
    assert view.rung is None
    assert view.key(OBJECTIVES[0]) == "device_miou@phone"
    assert view.course("device_miou@phone") == ["miou@epochs=1", "miou@epochs=3", "miou@epochs=9", "device_miou@phone"]
    assert view.course("latency_ms@phone") == ["latency_ms@phone"]


def test_nothing_yet_is_the_last_rung_without_members() -> None:
    view = View.of(history(0, 0))
    assert view.rung is None
    assert not len(view.points)


def test_what_is_not_trained_fully_shows_what_it_was_at_its_rungs_alone() -> None:
    view = View.of(history(*[2] * ENOUGH, 1))
    shown = view.seen(member(9, 1)).metrics
    assert "miou" not in shown
    assert shown["miou@epochs=3"] == 0.1 * 3
    assert view.seen(member(9, 2)).metrics["miou"] == 0.5
