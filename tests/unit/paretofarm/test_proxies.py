"""What cheap trainings are compared on, and how they are judged."""

import numpy as np
import pytest
from factories import make_experiment

from paretofarm.algorithms import Listed
from paretofarm.errors import ConfigError
from paretofarm.proxies import Proxy, judge, study_networks, trial
from paretofarm.training import SegmentationTraining

LIMITED = {
    "constraints": [{"name": "macs", "at_most": 3.0e7}, {"name": "latency_ms", "device": "virtual", "at_most": 9}]
}


def test_networks_are_the_same_each_time_and_by_seed() -> None:
    experiment = make_experiment(**LIMITED)
    networks = study_networks(experiment, 8)
    assert len({network.digest for network in networks}) == len(networks) > 100
    assert study_networks(experiment, 8) == networks
    assert study_networks(make_experiment(**LIMITED, seed=8), 8) != networks


def test_a_trial_trains_the_networks_its_own_way_and_does_nothing_else() -> None:
    experiment = make_experiment(
        **LIMITED, control=None, fidelity={"rungs": [1, 3]}, racing={}, predictor={"screen": 0.02}
    )
    networks = study_networks(experiment, 3)[:5]
    made = trial(experiment, Proxy(epochs=2, share=0.5, size=32), networks, count=3, name="demo-study-x")
    assert isinstance(made.algorithm, Listed) and isinstance(made.training, SegmentationTraining)
    assert list(made.algorithm.architectures) == networks
    assert [objective.key for objective in made.objectives] == ["miou"]
    assert (made.training.epochs, made.training.share, made.training.dataset.size) == ((2,), 0.5, 32)
    assert (made.measurement, made.fidelity, made.devices) == (None, None, ())
    assert [(limit.key, limit.at_most) for limit in made.constraints] == [("macs", 3.0e7 / 4)]
    assert (made.seed, made.stop.candidates) == (experiment.seed, 3)


def test_labels_tell_proxies_apart() -> None:
    proxies = [
        Proxy(epochs=1),
        Proxy(epochs=1, share=0.5),
        Proxy(epochs=1, share=0.125, size=32),
        Proxy(epochs=1, size=32),
    ]
    assert [proxy.label for proxy in proxies] == ["e1", "e1-s50", "e1-s12_5-32", "e1-32"]


def test_the_same_order_is_one_and_the_reverse_minus_one() -> None:
    full = {digest: value for digest, value in zip("abcdef", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6), strict=True)}
    same = judge(Proxy(epochs=1), {digest: value / 2 for digest, value in full.items()}, full, seconds=(5.0, 50.0))
    assert same is not None
    assert (same.tau, same.cost, same.networks) == (1.0, 0.1, 6)
    reverse = judge(Proxy(epochs=1), {digest: -value for digest, value in full.items()}, full, seconds=(5.0, 50.0))
    assert reverse is not None
    assert reverse.tau == -1.0


def test_an_interval_holds_the_value_and_shrinks_with_more_networks() -> None:
    rng = np.random.default_rng(3)

    def spread(count: int) -> float:
        full = {str(number): float(value) for number, value in enumerate(rng.random(count))}
        noisy = {digest: value + 0.3 * float(rng.random()) for digest, value in full.items()}
        verdict = judge(Proxy(epochs=1), noisy, full, seconds=(1.0, 2.0))
        assert verdict is not None
        assert verdict.low <= verdict.tau <= verdict.high
        return verdict.high - verdict.low

    assert spread(100) < spread(10)


def test_only_networks_that_were_trained_both_ways_count() -> None:
    full = {"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.4}
    verdict = judge(Proxy(epochs=1), {"a": 1.0, "b": 2.0, "c": 3.0, "x": 0.0}, full, seconds=(1.0, 1.0))
    assert verdict is not None
    assert verdict.networks == 3
    assert judge(Proxy(epochs=1), {"a": 1.0, "b": 2.0}, full, seconds=(1.0, 1.0)) is None


def test_a_search_without_trained_networks_has_no_proxies() -> None:
    plain = make_experiment(training=None, objectives=[{"name": "macs", "goal": "minimize"}], measurement=None)
    with pytest.raises(ConfigError, match="trains no networks"):
        trial(plain, Proxy(epochs=1), study_networks(plain, 1), count=1, name="x")
