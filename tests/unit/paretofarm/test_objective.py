import math

import numpy as np
import pytest
from pydantic import ValidationError

from paretofarm.metrics import METRICS, Goal, Source
from paretofarm.objective import Constraint, Objective, minimised, violation

MIOU = Objective(name="miou", goal=Goal.MAXIMIZE)
LATENCY = Objective(name="latency_ms", goal=Goal.MINIMIZE, device="virtual")
FAST = Constraint(name="latency_ms", device="virtual", at_most=40)
SMALL = Constraint(name="parameters", at_most=100)
ACCURATE = Constraint(name="miou", at_least=0.5)


def test_a_metric_of_a_device_has_the_device_in_its_key() -> None:
    assert MIOU.key == "miou"
    assert LATENCY.key == FAST.key == "latency_ms@virtual"


def test_every_metric_says_where_it_comes_from() -> None:
    assert METRICS["macs"].source is Source.BUILD
    assert METRICS["latency_p90_ms"].source is Source.MEASURE
    assert {name for name, metric in METRICS.items() if metric.per_device} == {
        "latency_ms",
        "latency_p90_ms",
        "latency_sustained_ms",
        "load_ms",
        "peak_memory_bytes",
        "network_bytes",
        "device_miou",
        "device_f1",
        "device_pixel_accuracy",
        "device_accuracy",
    }


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"name": "speed"}, "unknown metric 'speed'; known are parameters, macs"),
        ({"name": "latency_ms"}, "latency_ms differs between devices: say which"),
        ({"name": "miou", "device": "virtual"}, "miou is the same on every device"),
        ({"name": "latency_ms", "device": "no spaces"}, "pattern"),
        ({"name": "miou", "weight": 3}, "Extra inputs"),
    ],
)
def test_wrong_objectives_say_why(arguments: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Objective(goal="minimize", **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"name": "parameters"}, "a constraint on parameters needs at_most or at_least"),
        ({"name": "parameters", "at_most": 0}, "impossible: parameters is never at most 0"),
        ({"name": "miou", "at_least": 1.1}, "impossible: miou is never above 1"),
        ({"name": "macs", "at_least": 10, "at_most": 5}, "impossible: at_least 10 is above at_most 5"),
        ({"name": "macs", "at_most": float("nan")}, "finite number"),
        ({"name": "macs", "at_most": float("inf")}, "finite number"),
        ({"name": "size", "at_most": 1}, "unknown metric 'size'"),
    ],
)
def test_wrong_constraints_say_why(arguments: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Constraint(**arguments)  # type: ignore[arg-type]


def test_a_candidate_becomes_a_point_to_minimise() -> None:
    point = minimised((MIOU, LATENCY), {"miou": 0.6, "latency_ms@virtual": 3.5, "loss": 1.0})
    assert point is not None
    assert point.tolist() == [-0.6, 3.5]
    assert minimised((MIOU, LATENCY), {"miou": 0.6}) is None


def test_limits_are_inclusive() -> None:
    assert FAST.holds(40) and not FAST.holds(40.001)
    assert ACCURATE.holds(0.5) and not ACCURATE.holds(0.499)
    assert not FAST.holds(math.nan)


def test_limits_read_well() -> None:
    assert FAST.limits == "at most 40"
    assert Constraint(name="macs", at_least=1, at_most=2e9).limits == "at least 1 and at most 2e+09"


def test_violations_are_relative_and_add_up() -> None:
    assert violation((FAST, SMALL), {"latency_ms@virtual": 60, "parameters": 110}) == pytest.approx(0.6)
    assert violation((ACCURATE,), {"miou": 0.4}) == pytest.approx(0.2)
    assert violation((FAST, ACCURATE), {"latency_ms@virtual": 40, "miou": 0.9}) == 0
    assert violation((FAST,), {"latency_ms@virtual": math.nan}) == math.inf
    assert violation((), {}) == 0


def test_a_missing_metric_leaves_it_open_unless_another_is_broken() -> None:
    assert violation((FAST, SMALL), {"parameters": 50}) is None
    assert violation((FAST, SMALL), {"parameters": 150}) == pytest.approx(0.5)


def test_violations_of_many_agree_with_holds() -> None:
    constraint = Constraint(name="macs", at_least=10, at_most=20)
    values = np.array([5.0, 10, 15, 20, 30, np.nan])
    assert constraint.violations(values).tolist() == [0.5, 0, 0, 0, 0.5, np.inf]
    assert [constraint.holds(value) for value in values] == (constraint.violations(values) == 0).tolist()
