"""Learning curves are extrapolated to their end: on synthetic curves, whose end is known."""

import numpy as np
import pytest
from pydantic import ValidationError

from paretofarm.extrapolation import Extrapolation, hopeless, lowest
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import Goal, rung_key
from paretofarm.objective import Objective

OBJECTIVES = (
    Objective(name="miou", goal=Goal.MAXIMIZE),
    Objective(name="latency_ms", goal=Goal.MINIMIZE, device="virtual"),
)
EPOCHS = 9


def losses(rng: np.random.Generator, count: int, *, floor: tuple[float, float] = (0.1, 0.6)) -> np.ndarray:
    """Power laws: each falls to a floor of its own at a pace of its own, with noise. Shape [count, epochs]."""
    epochs = np.arange(1, EPOCHS + 1)
    lowest_loss = rng.uniform(*floor, size=(count, 1))
    pace = rng.uniform(0.5, 1.5, size=(count, 1))
    return np.asarray(lowest_loss + 0.4 * epochs**-pace + rng.normal(0, 0.01, size=(count, EPOCHS)))


@pytest.mark.parametrize("so_far", [1, 3, 6])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_curves_end_below_the_bound_no_more_often_than_stated(so_far: int, confidence: float) -> None:
    missed = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        finished, fresh = losses(rng, 40), losses(rng, 50)
        bound = lowest(fresh[:, :so_far], finished, confidence)
        assert bound is not None
        missed.append((fresh[:, -1] < bound).mean())
    assert np.mean(missed) <= 1 - confidence + 0.02


@pytest.mark.parametrize("so_far", [1, 3, 6])
def test_the_bound_holds_for_curves_worse_than_all_finished_ones(so_far: int) -> None:
    """As always: those that were trained to the end are the ones that looked good."""
    missed = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        finished, fresh = losses(rng, 40, floor=(0.1, 0.3)), losses(rng, 50, floor=(0.3, 0.8))
        bound = lowest(fresh[:, :so_far], finished, 0.95)
        assert bound is not None
        missed.append((fresh[:, -1] < bound).mean())
    assert np.mean(missed) <= 0.07


def test_later_epochs_say_more() -> None:
    rng = np.random.default_rng(0)
    finished, fresh = losses(rng, 60), losses(rng, 200)
    slack = []
    for so_far in (1, 3, 6, 8):
        bound = lowest(fresh[:, :so_far], finished, 0.9)
        assert bound is not None
        slack.append(float((fresh[:, -1] - bound).mean()))
    assert max(slack[1:]) < slack[0]
    assert slack[-1] < 0.5 * slack[0]


def test_of_too_few_finished_curves_nothing_follows() -> None:
    rng = np.random.default_rng(0)
    fresh = losses(rng, 1)[:, :3]
    assert lowest(fresh, losses(rng, 18), 0.95) is None
    assert lowest(fresh, losses(rng, 19), 0.95) is not None
    assert lowest(fresh, losses(rng, 4), 0.8) is not None


def member(number: int, curve: np.ndarray, latency_ms: float, status: CandidateStatus, rung: int) -> Member:
    metrics = {"miou": float(curve[-1]), "latency_ms@virtual": latency_ms}
    return Member(number, str(number), status, {**metrics, rung_key("miou", 3): float(curve[2])}, rung)


def search(*waiting: tuple[float, float]) -> tuple[History, dict[int, dict[str, list[float]]]]:
    """Thirty complete candidates, mIoU 0.4 to 0.7 at 5 ms; then one waiting for each (final mIoU, latency)."""
    epochs = np.arange(1, EPOCHS + 1)
    rng = np.random.default_rng(1)
    ends = [*np.linspace(0.4, 0.7, 30), *(end for end, _ in waiting)]
    curves = [end - 0.2 / epochs + rng.normal(0, 0.002, EPOCHS) for end in ends]
    members = [member(n, curve, 5.0, CandidateStatus.COMPLETE, 1) for n, curve in enumerate(curves[:30])]
    for number, (_, latency_ms) in enumerate(waiting, 30):
        curves[number] = curves[number][:3]
        members.append(member(number, curves[number], latency_ms, CandidateStatus.PAUSED, 0))
    history = History(members, OBJECTIVES, (), {}, (3, EPOCHS))
    return history, {number: {"miou": curve.tolist()} for number, curve in enumerate(curves)}


def test_one_that_cannot_catch_up_and_is_no_faster_is_hopeless() -> None:
    history, curves = search((0.45, 6.0))
    [(number, reason)] = hopeless(history, curves, Extrapolation()).items()
    assert number == 30
    assert reason.startswith("at best miou 0.4") and reason.endswith("latency_ms 6 (95% sure): candidate 5 is better")


def test_a_faster_or_promising_one_is_not() -> None:
    history, curves = search((0.45, 4.0), (0.75, 6.0))
    assert hopeless(history, curves, Extrapolation()) == {}


def test_nothing_is_said_of_one_whose_curve_is_not_known() -> None:
    history, curves = search((0.45, 6.0))
    del curves[30]
    assert hopeless(history, curves, Extrapolation()) == {}


def test_nothing_is_said_before_enough_are_complete() -> None:
    history, curves = search((0.45, 6.0))
    few = History([*history.members[:10], history.members[-1]], OBJECTIVES, (), {}, history.rungs)
    assert hopeless(few, curves, Extrapolation()) == {}


def test_a_confidence_of_all_or_less_than_half_is_refused() -> None:
    for confidence in (1.0, 0.4):
        with pytest.raises(ValidationError):
            Extrapolation(confidence=confidence)
