"""The algorithm that proposes a list, and nothing else."""

import numpy as np
import pytest
from factories import make_architecture, make_experiment

from paretofarm.algorithms import Listed
from paretofarm.algorithms.port import Origin
from paretofarm.architecture import Architecture
from paretofarm.errors import ConfigError
from paretofarm.experiment import Experiment
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.spaces import HourglassSpace

SPACE = HourglassSpace(type="hourglass", input_size=64).search_space()
NETWORKS = [make_architecture(serial=number) for number in range(4)]


def listed(*networks: Architecture, first_alone: bool = False) -> Listed:
    documents = [network.to_dict() for network in networks]
    return Listed.model_validate({"type": "listed", "architectures": documents, "first_alone": first_alone})


def history(*statuses: CandidateStatus) -> History:
    """The first networks of the list, as far as they are."""
    members = [Member(number, NETWORKS[number].digest, status, {}) for number, status in enumerate(statuses)]
    return History(members, (), (), dict(enumerate(NETWORKS)))


def proposed(algorithm: Listed, known: History, count: int = 10) -> list[str]:
    return [each.architecture.digest for each in algorithm.propose(known, SPACE, count=count, seed=1)]


def test_the_list_is_proposed_in_its_order_and_then_nothing() -> None:
    algorithm = listed(*NETWORKS)
    assert proposed(algorithm, history(), 3) == [network.digest for network in NETWORKS[:3]]
    assert proposed(algorithm, history(*[CandidateStatus.RUNNING] * 3)) == [NETWORKS[3].digest]
    assert proposed(algorithm, history(*[CandidateStatus.FAILED] * 4)) == []


def test_what_is_listed_twice_is_proposed_once() -> None:
    assert proposed(listed(NETWORKS[0], NETWORKS[0]), history()) == [NETWORKS[0].digest]
    assert listed(NETWORKS[0]).propose(history(), SPACE, count=1, seed=1)[0].origin is Origin.LISTED


@pytest.mark.parametrize("status", [CandidateStatus.PROPOSED, CandidateStatus.RUNNING])
def test_the_others_wait_for_the_first(status: CandidateStatus) -> None:
    algorithm = listed(*NETWORKS, first_alone=True)
    assert proposed(algorithm, history()) == [NETWORKS[0].digest]
    assert proposed(algorithm, history(status)) == []


@pytest.mark.parametrize("status", [CandidateStatus.COMPLETE, CandidateStatus.FAILED, CandidateStatus.INFEASIBLE])
def test_whatever_becomes_of_the_first_the_others_follow(status: CandidateStatus) -> None:
    algorithm = listed(*NETWORKS, first_alone=True)
    assert proposed(algorithm, history(status)) == [network.digest for network in NETWORKS[1:]]


def sampled() -> dict[str, object]:
    space = make_experiment().search_space.search_space()
    return dict(space.sample(np.random.default_rng(3)).to_dict())


def experiment(document: object) -> Experiment:
    return make_experiment(algorithm={"type": "listed", "architectures": [document]})


def test_an_experiment_with_a_list_reads_back_as_it_was_stored() -> None:
    made = experiment(sampled())
    assert Experiment.model_validate_json(made.model_dump_json()) == made
    assert made.plan().measure_trained


def test_what_is_not_of_the_space_is_refused_by_its_place() -> None:
    with pytest.raises(ConfigError, match=r"algorithm.architectures.0"):
        experiment({"space": "hourglass", "choices": {"stem_stride": 3}})
    with pytest.raises(ConfigError, match="exactly the keys"):
        experiment({"choices": {}})
    with pytest.raises(ConfigError, match="is of the space other"):
        experiment({**sampled(), "space": "other"})
