"""The surrogate's regression: what it must know about a function that it has seen in places."""

import numpy as np
import pytest

from paretofarm.described import Inputs
from paretofarm.surrogates import gaussian_process
from paretofarm.surrogates.gaussian_process import GaussianProcess
from paretofarm.surrogates.kernel import Sample, Scaling


def inputs(count: int, seed: int = 0) -> Inputs:
    """Two numbers and three choices of two options, one hot."""
    rng = np.random.default_rng(seed)
    options = rng.integers(2, size=(count, 3))
    one_hot = np.eye(2)[options].reshape(count, 6)
    return Inputs((one_hot,), rng.random((count, 2)))


def smooth(rows: Inputs) -> np.ndarray:
    return np.asarray(np.sin(3 * rows.numbers[:, 0]) + rows.numbers[:, 1] ** 2 + rows.blocks[0][:, 0])


def test_it_predicts_a_smooth_function_where_it_has_not_seen_it() -> None:
    seen, unseen = inputs(80), inputs(200, seed=1)
    prediction = GaussianProcess(seen, smooth(seen)).predict(unseen)
    error = prediction.mean - smooth(unseen)
    assert np.sqrt(np.mean(error**2)) < 0.05 * smooth(unseen).std()


def coverage(seed: int) -> float:
    """Share of noisy truths within two deviations of what 80 noisy observations let expect; 0.954 were perfect."""
    seen, unseen = inputs(80, seed), inputs(300, 100 + seed)
    rng = np.random.default_rng(seed)
    prediction = GaussianProcess(seen, smooth(seen) + 0.2 * rng.standard_normal(len(seen))).predict(unseen)
    truth = smooth(unseen) + 0.2 * rng.standard_normal(len(unseen))
    return float(np.mean(np.abs(prediction.mean - truth) < 2 * prediction.deviation))


def test_its_deviations_are_what_it_is_off_by() -> None:
    assert 0.91 < np.mean([coverage(seed) for seed in range(8)]) < 0.99


@pytest.mark.parametrize("trend", [False, True])
def test_the_gradient_of_its_loss_is_that_of_finite_differences(trend: bool) -> None:
    seen = inputs(25)
    rows = Scaling(seen)(seen)
    targets = (smooth(seen) - smooth(seen).mean()) / smooth(seen).std()
    prior = gaussian_process.Prior(2, 1, trend=trend)
    theta = prior.mean + 0.3 * np.random.default_rng(3).standard_normal(len(prior.mean))

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        return gaussian_process._loss(at, Sample(rows), targets, np.full(25, 0.01), prior)

    steps = np.eye(len(theta)) * 1e-5
    differences = [(loss(theta + step)[0] - loss(theta - step)[0]) / 2e-5 for step in steps]
    assert loss(theta)[1] == pytest.approx(differences, rel=1e-4, abs=1e-5)


def test_left_out_observations_are_predicted_from_the_others() -> None:
    """A second model that never saw the observation, with the same kernel, says the same."""
    seen = inputs(30)
    model = GaussianProcess(seen, smooth(seen))
    others = np.arange(1, 30)
    without = GaussianProcess(seen, smooth(seen))
    without._rows, without._targets = model._rows[others], model._targets[others]
    without._errors = model._errors[others]
    without._solve()
    assert without.predict(seen[np.array([0])]).mean == pytest.approx(model.left_out()[:1])


def test_what_is_believed_is_certain_and_changes_no_mean() -> None:
    seen, tried = inputs(30), inputs(3, seed=4)
    model = GaussianProcess(seen, smooth(seen))
    before = model.predict(tried)
    model.believe(tried)
    after = model.predict(tried)
    assert after.mean == pytest.approx(before.mean, abs=1e-2)
    assert (after.deviation < before.deviation).all()


def test_a_noisy_observation_counts_less() -> None:
    seen = inputs(30)
    targets = smooth(seen).copy()
    targets[0] += 3.0
    precise = GaussianProcess(seen, targets, np.zeros(30)).predict(seen).mean[0]
    noise = np.zeros(30)
    noise[0] = 100.0
    noisy = GaussianProcess(seen, targets, noise).predict(seen).mean[0]
    assert abs(noisy - smooth(seen)[0]) < abs(precise - smooth(seen)[0])


def test_believing_in_steps_is_believing_at_once() -> None:
    seen, tried = inputs(30), inputs(6, seed=4)
    at_once, in_steps = GaussianProcess(seen, smooth(seen)), GaussianProcess(seen, smooth(seen))
    at_once.believe(tried)
    for place in range(6):
        in_steps.believe(tried[np.array([place])])
    far = inputs(20, seed=9)
    assert in_steps.predict(far).mean == pytest.approx(at_once.predict(far).mean, abs=1e-6)
    assert in_steps.predict(far).deviation == pytest.approx(at_once.predict(far).deviation, rel=1e-3)


def line(rows: Inputs) -> np.ndarray:
    return np.asarray(2.0 * rows.numbers[:, 0] - 3.0 * rows.numbers[:, 1])


def test_a_trend_goes_on_where_nothing_was_observed() -> None:
    seen = inputs(40)
    beyond = Inputs(seen.blocks, seen.numbers + 2.0)
    told = {trend: GaussianProcess(seen, line(seen), trend=trend).predict(beyond) for trend in (False, True)}
    errors = {trend: np.abs(each.mean - line(beyond)).mean() for trend, each in told.items()}
    assert errors[True] < 0.1 * errors[False]


def test_far_away_a_trend_is_less_sure() -> None:
    seen = inputs(40)
    model = GaussianProcess(seen, smooth(seen), trend=True)
    near, far = (model.predict(Inputs(seen.blocks, seen.numbers + by)).deviation.mean() for by in (1.0, 5.0))
    assert far > 2 * near
