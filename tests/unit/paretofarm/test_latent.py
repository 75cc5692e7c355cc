"""The scale on which metrics are modelled."""

import numpy as np
import pytest

from paretofarm.surrogates.latent import Latent, Scale

NONE = np.empty(0)


@pytest.mark.parametrize("scale", Scale)
def test_there_and_back_is_the_same(scale: Scale) -> None:
    latencies = np.array([1.0, 2.0, 4.0, 8.0])
    latent = Latent.of(latencies, 0.0, NONE, scale)
    assert latent.backward(latent.forward(latencies)) == pytest.approx(latencies)


def test_accuracies_are_seen_as_the_logarithm_of_their_errors() -> None:
    accuracies = np.array([0.5, 0.9, 0.99])
    seen = Latent.of(-accuracies, -1.0, NONE).forward(-accuracies)
    assert np.exp(seen) == pytest.approx([0.5, 0.1, 0.01])


def test_a_useless_network_does_not_stretch_the_scale() -> None:
    errors = np.array([0.05, 0.06, 0.07, 0.08, 0.9])
    seen = Latent.of(errors, 0.0, NONE).forward(errors)
    assert np.exp(seen[-1]) < 0.3


def test_what_is_beyond_a_bound_is_still_told_from_what_is_not() -> None:
    latencies = np.array([1.0, 1.1, 1.2, 1.3, 50.0])
    latent = Latent.of(latencies, 0.0, np.array([40.0]))
    assert latent.forward(latencies)[-1] > latent.exact(40.0)


def test_a_metric_without_a_limit_is_seen_as_it_is() -> None:
    values = np.array([-3.0, 0.0, 5.0])
    assert Latent.of(values, None, NONE).forward(values) == pytest.approx(values)


def test_roots_are_of_the_distance_to_the_best_possible_value() -> None:
    accuracies = np.array([0.51, 0.84, 0.91])
    seen = Latent.of(-accuracies, -1.0, NONE, Scale.ROOT).forward(-accuracies)
    assert seen == pytest.approx([0.7, 0.4, 0.3])


def test_a_root_below_zero_is_the_best_possible_value() -> None:
    assert Latent(0.0, -10.0, 10.0, Scale.ROOT).backward(np.array([-0.2, 0.0])).tolist() == [0.0, 0.0]
