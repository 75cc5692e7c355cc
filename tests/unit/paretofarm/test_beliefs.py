"""What is believed of a metric: opinions on two scales, together no surer than they may be."""

import numpy as np
import pytest

from paretofarm.described import Inputs
from paretofarm.surrogates.beliefs import Belief, believe


def inputs(widths: np.ndarray) -> Inputs:
    return Inputs((np.zeros((len(widths), 1)),), widths[:, None])


def belief_of(values: np.ndarray, widths: np.ndarray, key: str = "latency_ms@virtual", sign: float = 1.0) -> Belief:
    belief = believe(key, sign, values, inputs(widths))
    assert belief is not None
    return belief


NARROW, WIDE = np.linspace(4.0, 8.0, 30), np.linspace(0.5, 3.0, 20)


@pytest.mark.parametrize(
    ("values_of", "name"),
    [(lambda widths: (widths + 0.5) ** 2, "sums"), (lambda widths: np.exp(widths / 2), "products")],
)
def test_both_kinds_of_growth_are_foreseen(values_of: "np.ufunc", name: str) -> None:
    """Beyond what was observed, where a model on the wrong scale alone is far off."""
    belief = belief_of(values_of(NARROW), NARROW)
    draws = belief.draws(inputs(WIDE))
    true = values_of(WIDE)
    held = (draws.min(axis=1) <= true) & (true <= draws.max(axis=1))
    assert held.mean() > 0.9, name


def test_a_mean_is_between_the_opinions() -> None:
    belief = belief_of((NARROW + 0.5) ** 2, NARROW)
    told = np.array([opinion.median(inputs(WIDE)) for opinion in belief.opinions])
    mean = belief.mean(inputs(WIDE))
    assert (told.min(axis=0) <= mean).all()
    assert (mean <= told.max(axis=0)).all()
    assert np.ptp(told, axis=0).max() > 0.1


def test_probabilities_are_of_the_metric_itself_whichever_way_it_is_better() -> None:
    accuracies = 1.0 - 1.0 / NARROW
    belief = belief_of(accuracies, NARROW, "miou", -1.0)
    middle = float(np.median(accuracies))
    above = belief.probability(inputs(NARROW), middle, None)
    below = belief.probability(inputs(NARROW), None, middle)
    assert above + below == pytest.approx(1.0)
    assert above[0] < 0.1
    assert above[-1] > 0.9


def test_what_is_supposed_is_not_so_uncertain_any_more() -> None:
    belief = belief_of((NARROW + 0.5) ** 2, NARROW)
    tried = inputs(np.array([2.0]))
    before, told = belief.draws(tried), belief.mean(tried)
    belief.suppose(tried)
    after = belief.draws(tried)
    assert np.ptp(after) < np.ptp(before)
    assert belief.mean(tried) == pytest.approx(told, rel=0.01)
