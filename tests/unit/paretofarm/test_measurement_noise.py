"""What a measurement's interval is worth to a model."""

import numpy as np
import pytest

from paretofarm.described import Inputs
from paretofarm.history import Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.surrogates.beliefs import believe
from paretofarm.surrogates.latent import Latent, Scale
from paretofarm.surrogates.outlook import _errors

WIDTHS = np.linspace(1.0, 3.0, 21)
ODD = 10
"""Place of a measurement that is half as long again as its neighbours."""


def inputs(widths: np.ndarray) -> Inputs:
    return Inputs((np.zeros((len(widths), 1)),), widths[:, None])


def latencies() -> np.ndarray:
    values = WIDTHS**2
    values[ODD] *= 1.5
    return values


def said_of_the_odd_one(errors: np.ndarray | None) -> float:
    belief = believe("latency_ms@virtual", 1.0, latencies(), inputs(WIDTHS), errors=errors)
    assert belief is not None
    return float(belief.mean(inputs(WIDTHS))[ODD])


def test_a_measurement_that_is_known_to_be_noisy_persuades_less() -> None:
    errors = 0.001 * latencies()
    sure = said_of_the_odd_one(errors)
    errors[ODD] = 0.4 * latencies()[ODD]
    doubted = said_of_the_odd_one(errors)
    true = WIDTHS[ODD] ** 2
    assert abs(doubted - true) < abs(sure - true)
    assert abs(doubted - true) < 0.1 * true


def test_no_interval_is_what_it_was_before() -> None:
    assert said_of_the_odd_one(None) == said_of_the_odd_one(np.zeros(len(WIDTHS)))


@pytest.mark.parametrize("scale", Scale)
def test_errors_are_taken_to_the_model_s_scale(scale: Scale) -> None:
    values = np.array([1.0, 10.0, 100.0])
    times = Latent(0.0, -20.0, 20.0, scale)
    assert times.error(values, 0.01 * values) == pytest.approx(
        times.forward(values * 1.005) - times.forward(values * 0.995), rel=1e-3
    )
    assert Latent(None, -10.0, 200.0).error(values, values).tolist() == values.tolist()


def test_a_deviation_is_a_quarter_of_the_interval_or_nearly_so() -> None:
    def member(number: int, **intervals: tuple[float, float]) -> Member:
        return Member(number, str(number), CandidateStatus.COMPLETE, {"latency_ms": 3.0}, intervals=intervals)

    errors = _errors("latency_ms", [member(0, latency_ms=(2.0, 4.0)), member(1)])
    assert errors is not None
    assert errors == pytest.approx([2 / 3.92, 0.0], rel=1e-3)
    assert _errors("latency_ms", [member(0), member(1)]) is None
