"""What a search takes over from earlier ones: whom it tries first, and what counts as observed."""

from typing import Any

import pytest
from factories import DOCUMENT, make_architecture, make_experiment

from paretofarm.algorithms.parents import select_parents
from paretofarm.errors import ConfigError
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import rung_key
from paretofarm.warm_start import Earlier, inherit, transferable

OTHER_DEVICE = [
    {"name": "miou", "goal": "maximize"},
    {"name": "latency_ms", "goal": "minimize", "device": "virtual-b"},
]


def warm(**changed: Any) -> dict[str, Any]:
    return {"warm_start": {"search": "demo", **changed.pop("warm_start", {})}, "name": "later", **changed}


def earlier(*mious: float, **overrides: Any) -> Earlier:
    """Complete candidates with these accuracies, all as fast."""
    architectures = {number: make_architecture() for number in range(len(mious))}
    members = [
        Member(
            number,
            architectures[number].digest,
            CandidateStatus.COMPLETE,
            {"miou": miou, "latency_ms@virtual": 3.0, "parameters": 1000.0 * (number + 1)},
            0,
        )
        for number, miou in enumerate(mious)
    ]
    return Earlier(make_experiment(**overrides), members, architectures)


def test_the_best_of_an_earlier_search_are_the_seeds() -> None:
    source = earlier(0.1, 0.9, 0.5)
    found = inherit(make_experiment(**warm(warm_start={"best": 2})), [source])
    assert [seed.digest for seed in found.seeds] == [source.members[1].digest, source.members[2].digest]


def test_several_searches_take_turns() -> None:
    first, second = earlier(0.9, 0.8), earlier(0.3, 0.2)
    found = inherit(make_experiment(**warm(warm_start={"search": ["demo", "other"], "best": 3})), [first, second])
    assert [seed.digest for seed in found.seeds] == [
        first.members[0].digest,
        second.members[0].digest,
        first.members[1].digest,
    ]


def test_one_that_is_known_to_break_a_limit_is_no_seed() -> None:
    limited = make_experiment(**warm(constraints=[{"name": "parameters", "at_most": 1500}]))
    source = earlier(0.1, 0.9)
    assert [seed.digest for seed in inherit(limited, [source]).seeds] == [source.members[0].digest]


def test_the_same_training_and_measurement_make_observations_with_their_search_named() -> None:
    source = earlier(0.1, 0.9)
    found = inherit(make_experiment(**warm()), [source])
    assert [(member.number, member.search) for member in found.observed] == [(-1, "demo"), (-2, "demo")]
    assert found.observed[1].metrics == source.members[1].metrics
    assert found.architectures is not None
    assert found.architectures[-2] == source.architectures[1]


def test_another_device_leaves_accuracy_as_observed() -> None:
    found = inherit(make_experiment(**warm(objectives=OTHER_DEVICE)), [earlier(0.1)])
    history = History([], make_experiment(objectives=OTHER_DEVICE).objectives, (), {}, (), found.observed)
    [member] = history.observations
    assert member.metrics["miou"] == 0.1
    assert "latency_ms@virtual-b" not in member.metrics
    assert history.feasible == ()


def test_another_training_or_data_set_means_another_accuracy() -> None:
    training = {**DOCUMENT["training"], "learning_rate": 1e-3}
    here, there = make_experiment(**warm(training=training)), make_experiment()
    metrics = {"miou": 0.5, rung_key("miou", 1): 0.5, "latency_ms@virtual": 3.0, "parameters": 10.0}
    assert transferable(here, there, metrics) == {"latency_ms@virtual": 3.0, "parameters": 10.0}


def test_another_way_of_measuring_means_another_latency() -> None:
    here = make_experiment(**warm(measurement={"runtime": "onnxruntime", "precision": "fp32"}))
    metrics = {"miou": 0.5, "latency_ms@virtual": 3.0, "device_miou@virtual": 0.4}
    assert transferable(here, make_experiment(), metrics) == {"miou": 0.5}


def test_observing_can_be_left_out() -> None:
    found = inherit(make_experiment(**warm(warm_start={"observe": False})), [earlier(0.1)])
    assert (len(found.seeds), found.observed) == (1, ())


def test_what_was_proposed_here_is_observed_no_more() -> None:
    source = earlier(0.1, 0.9)
    found = inherit(make_experiment(**warm()), [source])
    own = Member(0, source.members[1].digest, CandidateStatus.RUNNING, {})
    history = History([own], make_experiment().objectives, (), {}, (1,), found.observed)
    assert [member.number for member in history.observations] == [-1]


def test_observed_members_are_parents_until_there_are_enough_of_the_searchs_own() -> None:
    found = inherit(make_experiment(**warm()), [earlier(0.1, 0.9)])
    own = [
        Member(number, str(number), CandidateStatus.COMPLETE, {"miou": 0.5, "latency_ms@virtual": 3.0}, 0)
        for number in range(2)
    ]
    history = History(own, make_experiment().objectives, (), {}, (1,), found.observed)
    assert select_parents(history, 3).numbers == (0, 1, -2)
    assert select_parents(history, 2).numbers == (0, 1)


def test_without_a_warm_start_nothing_is_taken_over() -> None:
    assert inherit(make_experiment(), [earlier(0.1)]).seeds == ()


def test_a_control_is_random_and_has_nothing_in_common_but_the_settings() -> None:
    experiment = make_experiment(**warm(algorithm={"type": "evolution_pareto"}, control="random"))
    control = experiment.control_experiment()
    assert control is not None
    assert (control.name, control.algorithm.type, control.control) == ("later-control", "random", None)
    assert control.seed != experiment.seed
    assert control.warm_start is None
    for same in ("search_space", "objectives", "constraints", "training", "measurement", "stop", "in_flight"):
        assert getattr(control, same) == getattr(experiment, same)
    assert make_experiment().control_experiment() is None


def test_a_random_search_has_no_control_and_a_name_leaves_room_for_its() -> None:
    with pytest.raises(ConfigError, match="control: the search is random itself"):
        make_experiment(control="random")
    with pytest.raises(ConfigError, match="at most 55 characters"):
        make_experiment(name="a" * 56, algorithm={"type": "evolution_pareto"}, control="random")
