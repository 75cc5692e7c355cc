"""What few epochs tell of many."""

import numpy as np

from paretofarm.described import Inputs
from paretofarm.surrogates.beliefs import Hint, believe
from paretofarm.surrogates.cokriging import CoKriging
from paretofarm.surrogates.gaussian_process import GaussianProcess

FEW = np.linspace(0.0, 4.0, 60)[:, None]
MANY = FEW[::8]
BETWEEN = np.linspace(0.05, 3.95, 33)[:, None]


def inputs(places: np.ndarray) -> Inputs:
    return Inputs((np.zeros((len(places), 1)),), places)


def after_few(places: np.ndarray) -> np.ndarray:
    return np.sin(4.0 * places[:, 0])


def after_many(places: np.ndarray) -> np.ndarray:
    return 2.0 * after_few(places) + 0.2 * places[:, 0] + 5.0


def error(model: CoKriging | GaussianProcess) -> float:
    return float(np.abs(model.predict(inputs(BETWEEN)).mean - after_many(BETWEEN)).mean())


def taught() -> CoKriging:
    few = GaussianProcess(inputs(FEW), after_few(FEW))
    return CoKriging(few, inputs(MANY), after_few(MANY), after_many(MANY))


def test_many_cheap_observations_teach_what_few_dear_ones_cannot() -> None:
    alone = GaussianProcess(inputs(MANY), after_many(MANY))
    assert error(taught()) < 0.1 * error(alone)


def test_what_was_observed_is_predicted_and_surer_than_what_was_not() -> None:
    model = taught()
    seen, beyond = model.predict(inputs(MANY)), model.predict(inputs(np.array([[6.0]])))
    assert np.abs(seen.mean - after_many(MANY)).max() < 0.1
    assert seen.deviation.max() < beyond.deviation.min()


def test_what_few_epochs_turn_upside_down_is_left_out() -> None:
    few = GaussianProcess(inputs(FEW), -after_few(FEW))
    model = CoKriging(few, inputs(MANY), -after_few(MANY), after_many(MANY))
    alone = GaussianProcess(inputs(MANY), after_many(MANY))
    assert np.allclose(model.predict(inputs(BETWEEN)).mean, alone.predict(inputs(BETWEEN)).mean)


def test_a_belief_with_a_hint_predicts_its_own_observations_better() -> None:
    """Accuracies: maximised, with a limit."""
    few, many = 0.5 + 0.2 * after_few(FEW), 0.7 + 0.2 * after_few(MANY) + 0.01 * MANY[:, 0]
    early = believe("miou@epochs=1", -1.0, few, inputs(FEW))
    assert early is not None
    hinted = believe("miou", -1.0, many, inputs(MANY), hint=Hint(early, few[::8]))
    alone = believe("miou", -1.0, many, inputs(MANY))
    assert hinted is not None
    assert alone is not None
    assert hinted.skill > alone.skill
    assert np.abs(-hinted.mean(inputs(BETWEEN)) - (0.7 + 0.2 * after_few(BETWEEN) + 0.01 * BETWEEN[:, 0])).max() < 0.05
