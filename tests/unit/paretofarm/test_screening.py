"""Proposals that break a limit for all that is known are drawn anew, whatever the algorithm."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from paretofarm.algorithms import AlgorithmSettings, SearchAlgorithm
from paretofarm.architecture import Architecture
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import Goal
from paretofarm.objective import Objective
from paretofarm.screening import ROUNDS, propose_screened
from paretofarm.spaces import NasBench201Space

SPACE = NasBench201Space(type="nas_bench_201").search_space()
OBJECTIVES = (
    Objective(name="accuracy", goal=Goal.MAXIMIZE),
    Objective(name="latency_ms", goal=Goal.MINIMIZE, device="virtual"),
)
ALGORITHMS: list[dict[str, Any]] = [
    {"type": "random"},
    {"type": "evolution_pareto", "initial": 4},
    {"type": "nsga2", "population": 4},
    {"type": "regularized_evolution"},
    {"type": "local_search"},
    {"type": "surrogate_pareto", "initial": 6, "pool": 100},
]


def algorithm(settings: dict[str, Any]) -> SearchAlgorithm:
    found: SearchAlgorithm = TypeAdapter(AlgorithmSettings).validate_python(settings)
    return found


def convolutions(architecture: Architecture) -> int:
    return sum("conv_3x3" in str(value) for value in architecture.choices.values())


def too_many(architectures: Sequence[Architecture]) -> list[bool]:
    return [convolutions(each) > 1 for each in architectures]


def history(count: int) -> History:
    rng = np.random.default_rng(3)
    drawn = list({found.digest: found for found in (SPACE.sample(rng) for _ in range(2 * count))}.values())[:count]
    members = [
        Member(
            number,
            each.digest,
            CandidateStatus.COMPLETE,
            {
                "accuracy": 0.5 + 0.01 * convolutions(each) + 0.001 * number,
                "latency_ms@virtual": 1.0 + convolutions(each),
            },
        )
        for number, each in enumerate(drawn)
    ]
    return History(members, OBJECTIVES, (), dict(enumerate(drawn)))


@pytest.mark.parametrize("settings", ALGORITHMS, ids=lambda settings: settings["type"])
@pytest.mark.parametrize("before", [0, 24])
def test_what_is_hopeless_is_not_proposed(settings: dict[str, Any], before: int) -> None:
    known = history(before)
    draw = {"count": 6, "seed": 5}
    found = propose_screened(algorithm(settings), known, SPACE, hopeless=too_many, **draw)
    digests = [proposal.architecture.digest for proposal in found.proposals]
    assert found.proposals
    assert not any(too_many([proposal.architecture for proposal in found.proposals]))
    assert len(set(digests)) == len(digests) and not known.digests & set(digests)
    again = propose_screened(algorithm(settings), known, SPACE, hopeless=too_many, **draw)
    assert [proposal.architecture.digest for proposal in again.proposals] == digests


def test_where_nothing_is_refused_it_is_what_the_algorithm_proposes() -> None:
    random = algorithm({"type": "random"})
    found = propose_screened(random, history(3), SPACE, count=4, seed=5, hopeless=lambda drawn: [False for _ in drawn])
    assert found.proposals == tuple(random.propose(history(3), SPACE, count=4, seed=5))
    assert found.passed_over == 0


def test_where_everything_is_refused_the_search_goes_on_and_finds_out() -> None:
    asked: list[int] = []

    def hopeless(drawn: Sequence[Architecture]) -> list[bool]:
        asked.append(len(drawn))
        return [True for _ in drawn]

    random = algorithm({"type": "random"})
    found = propose_screened(random, history(3), SPACE, count=4, seed=5, hopeless=hopeless)
    assert found.proposals == tuple(random.propose(history(3), SPACE, count=4, seed=5))
    assert asked == [4] * ROUNDS
    assert found.passed_over == 0


def test_who_proposes_nothing_is_asked_once() -> None:
    listed = algorithm({"type": "listed", "architectures": [history(1).architecture(0).to_dict()]})
    found = propose_screened(listed, history(1), SPACE, count=4, seed=5, hopeless=too_many)
    assert found.proposals == ()
