"""Prices and budgets."""

from typing import Any

import pytest
from factories import make_experiment

from paretofarm.cost import Rates, Spent
from paretofarm.errors import ConfigError

PRICES = {"gpu_hour": 2.0, "phone_hour": 0.5, "cpu_hour": 0.1, "currency": "USD"}


def test_each_kind_of_hour_has_its_price() -> None:
    rates = Rates(**PRICES)
    assert rates.cost(Spent(train_s=1800, phone_s=7200, host_s=36000)) == pytest.approx(1.0 + 1.0 + 1.0)
    assert Rates().cost(Spent(1e6, 1e6, 1e6)) == 0


@pytest.mark.parametrize(
    ("stop", "seconds", "reason"),
    [
        ({"gpu_hours": 2}, 7199, None),
        ({"gpu_hours": 2}, 7200, "has used 2 of 2 GPU-hours"),
        ({"cost": 3}, 5399, None),
        ({"cost": 3}, 5400, "has cost 3.00 of 3.00 USD"),
        ({}, 1e9, None),
    ],
)
def test_a_search_uses_no_more_than_it_may(stop: dict[str, Any], seconds: float, reason: str | None) -> None:
    experiment = make_experiment(stop={"candidates": 5, **stop}, rates=PRICES)
    assert experiment.exhausted(Spent(train_s=seconds)) == reason


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"stop": {"candidates": 1, "cost": 3}}, "stop.cost needs `rates:`"),
        ({"stop": {"candidates": 1, "gpu_hours": 0}}, "stop.gpu_hours"),
        ({"rates": {"gpu_hour": -1}}, "rates.gpu_hour"),
        ({"rates": {"currency": "euro"}}, "rates.currency"),
        ({"rates": {"gpu_hours": 1}}, "rates.gpu_hours"),
    ],
)
def test_what_is_no_budget_is_refused(keys: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        make_experiment(**keys)
