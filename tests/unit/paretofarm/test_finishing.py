"""Whom a search's end trains, how, and what it wants to know of them."""

from typing import Any

import numpy as np
import pytest
from factories import make_experiment

from paretofarm.algorithms import Listed
from paretofarm.architecture import Architecture
from paretofarm.errors import ConfigError
from paretofarm.experiment import Experiment
from paretofarm.final import Final
from paretofarm.finishing import final_experiment
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus, EvaluationState, EvaluationStatus, Stage, Step, advance
from paretofarm.training import SegmentationTraining

SEARCH_RECIPE = Final(recipe="search", epochs=9)
EVOLUTION = {"type": "evolution_pareto"}
POINTS = [(0.5, 3.0), (0.7, 5.0), (0.4, 4.0), (0.6, 4.0)]
"""mIoU and latency; all but the third are on the front."""


def networks(experiment: Experiment, count: int) -> list[Architecture]:
    space, rng = experiment.search_space.search_space(), np.random.default_rng(5)
    return [space.sample(rng) for _ in range(count)]


def history(experiment: Experiment, points: list[tuple[float, float]] = POINTS) -> History:
    architectures = dict(enumerate(networks(experiment, len(points))))
    members = [
        Member(
            number,
            architectures[number].digest,
            CandidateStatus.COMPLETE,
            {"miou": miou, "latency_ms@virtual": latency, "parameters": 10.0, "macs": 1e6 * latency},
        )
        for number, (miou, latency) in enumerate(points)
    ]
    return History(members, experiment.objectives, experiment.constraints, architectures, experiment.rungs)


def finished(settings: Final = SEARCH_RECIPE, **overrides: Any) -> Experiment:
    experiment = make_experiment(**overrides)
    return final_experiment(experiment, history(experiment), settings, name="demo-final")


def listed(experiment: Experiment) -> list[int]:
    """Numbers of the networks in the search before."""
    known = [network.digest for network in networks(make_experiment(), len(POINTS))]
    algorithm = experiment.algorithm
    assert isinstance(algorithm, Listed)
    return [known.index(network.digest) for network in algorithm.architectures]


def test_the_front_is_trained_the_most_accurate_first() -> None:
    made = finished()
    assert listed(made) == [1, 3, 0]
    assert (made.name, made.stop.candidates, made.rungs) == ("demo-final", 3, (9,))


@pytest.mark.parametrize("count", [1, 2, 4])
def test_so_many_of_the_best_are(count: int) -> None:
    made = finished(Final(recipe="search", members=count))
    assert len(listed(made)) == count
    assert 2 not in listed(made)[:3]


def test_what_the_device_can_tell_takes_the_place_of_what_the_training_tells() -> None:
    limits = [{"name": "miou", "at_least": 0.1}, {"name": "latency_ms", "device": "virtual", "at_most": 9}]
    made = finished(constraints=limits)
    assert [objective.key for objective in made.objectives] == ["device_miou@virtual", "latency_ms@virtual"]
    assert [limit.key for limit in made.constraints] == ["device_miou@virtual", "latency_ms@virtual"]
    assert made.constraints[0].at_least == 0.1


def test_what_no_device_can_tell_stays_the_trainings() -> None:
    objectives = [{"name": "miou", "goal": "maximize"}, {"name": "macs", "goal": "minimize"}]
    made = finished(objectives=objectives, measurement=None)
    assert [objective.key for objective in made.objectives] == ["miou", "macs"]


def test_the_search_s_own_training_goes_on_for_longer_and_what_is_said_comes_first() -> None:
    made = finished(Final(recipe="search", epochs=4, training={"learning_rate": 0.01}))
    own = make_experiment().training
    assert isinstance(own, SegmentationTraining)
    assert made.training == own.model_copy(update={"epochs": (4,), "learning_rate": 0.01})


def test_nothing_of_how_the_search_went_is_left() -> None:
    fidelity = {"rungs": [1, 3]}
    made = finished(fidelity=fidelity, algorithm=EVOLUTION, control="random", final={"epochs": 2, "recipe": "search"})
    assert (made.fidelity, made.control, made.final, made.warm_start) == (None, None, None, None)


def test_it_is_measured_as_it_was_trained() -> None:
    plan = finished().plan()
    done: dict[Step, None] = {}
    order: list[Step] = []
    while True:
        states = [state_of(step) for step in done]
        step = advance(plan, states, {"parameters": 1.0, "latency_ms@virtual": 1.0, "device_miou@virtual": 0.5})
        if step.verdict is not None:
            break
        order += step.queue
        done.update(dict.fromkeys(step.queue))
    last = {"device": "virtual", "rung": 0}
    assert step.verdict.status is CandidateStatus.COMPLETE
    assert order == [
        Step(Stage.BUILD),
        Step(Stage.COMPILE, device="virtual"),
        Step(Stage.TRAIN, rung=0),
        Step(Stage.COMPILE, **last),
        Step(Stage.MEASURE, **last),
        Step(Stage.SCORE, **last),
    ]


def state_of(step: Step) -> EvaluationState:
    return EvaluationState(step, EvaluationStatus.DONE)


def test_a_search_without_a_network_to_train_cannot_be_finished() -> None:
    experiment = make_experiment()
    with pytest.raises(ConfigError, match="no complete and feasible candidate"):
        final_experiment(experiment, history(experiment, []), SEARCH_RECIPE, name="x")
    plain = make_experiment(training=None, objectives=[{"name": "macs", "goal": "minimize"}], measurement=None)
    with pytest.raises(ConfigError, match="trains no networks"):
        final_experiment(plain, history(plain), SEARCH_RECIPE, name="x")


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ("best", "final.members = 'best': must be 'front' or a whole number"),
        (0, "final.members = 0: must be 'front' or at least 1"),
        (1001, "final.members = 1001: must be 'front' or at most 1000"),
        (None, "final.members: must be 'front' or a whole number"),
        ([1], "final.members: must be 'front' or a whole number"),
        ({"best": 1}, "final.members: must be 'front' or a whole number"),
    ],
)
def test_one_mistake_is_one_complaint(members: Any, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_experiment(final={"members": members})
    assert str(caught.value).endswith(f": {said}")
    assert str(caught.value).count("members") == 1


@pytest.mark.parametrize(
    ("final", "problem"),
    [
        ({"epochs": 0}, "final.epochs"),
        ({"members": 0}, "final.members"),
        ({"members": "best"}, "final.members"),
        ({"recipe": "search", "training": {"epochs": [3]}}, "final.training: epochs"),
        ({"recipe": "search", "training": {"learning_rat": 1}}, "learning_rat"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_before_the_search(final: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        make_experiment(final=final)


def test_a_name_must_leave_room() -> None:
    with pytest.raises(ConfigError, match="at most 57 characters"):
        make_experiment(name="n" * 60, final={"recipe": "search"})
