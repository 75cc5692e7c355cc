import math
from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError

from paretofarm.algorithms import EvolutionPareto, Origin, RandomSearch, SearchAlgorithm
from paretofarm.algorithms.parents import select_parents
from paretofarm.architecture import Architecture
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import Goal
from paretofarm.objective import Objective
from paretofarm.pareto import hypervolume
from paretofarm.spaces import HourglassSpace

SETTINGS = HourglassSpace(type="hourglass", input_size=64)
SPACE = SETTINGS.search_space()
OBJECTIVES = (Objective(name="miou", goal=Goal.MAXIMIZE), Objective(name="macs", goal=Goal.MINIMIZE))
WEIGHTS = np.random.default_rng(5).normal(size=len(SPACE.encoding_names))


def history(architectures: dict[int, Architecture], metrics: dict[int, dict[str, float]]) -> History:
    members = [
        Member(
            number,
            architecture.digest,
            CandidateStatus.COMPLETE if number in metrics else CandidateStatus.RUNNING,
            metrics.get(number, {}),
        )
        for number, architecture in architectures.items()
    ]
    return History(members, OBJECTIVES, (), architectures)


def analytic(architecture: Architecture) -> dict[str, float]:
    """Cost is the number of layers, quality a sigmoid of a random linear function of all choices."""
    layers = sum(int(value) for name, value in architecture.choices.items() if name.endswith(".layers"))
    return {"miou": 1 / (1 + math.exp(-SPACE.encode(architecture) @ WEIGHTS / 3)), "macs": layers / 70}


def search(algorithm: SearchAlgorithm, seed: int, candidates: int = 200, in_flight: int = 8) -> float:
    """Hypervolume after a steady-state search whose results come in order."""
    architectures: dict[int, Architecture] = {}
    metrics: dict[int, dict[str, float]] = {}
    while len(architectures) < candidates:
        for proposal in algorithm.propose(history(architectures, metrics), SPACE, count=1, seed=seed):
            architectures[len(architectures)] = proposal.architecture
        if len(architectures) - len(metrics) >= in_flight:
            metrics[len(metrics)] = analytic(architectures[len(metrics)])
    return hypervolume(history(architectures, metrics).points, [0.0, 1.0])


def test_evolution_beats_random_search_after_200_candidates() -> None:
    evolution, control = EvolutionPareto(type="evolution_pareto"), RandomSearch(type="random")
    gains = [search(evolution, seed) / search(control, seed) for seed in range(5)]
    assert min(gains) > 1
    assert np.median(gains) > 1.05


def finished(count: int) -> History:
    rng = np.random.default_rng(2)
    architectures = {number: SPACE.sample(rng) for number in range(count)}
    return history(architectures, {number: analytic(architecture) for number, architecture in architectures.items()})


def test_children_come_about_in_the_asked_proportion() -> None:
    algorithm = EvolutionPareto(type="evolution_pareto", mutate=2, crossover=1, immigrants=1)
    origins = Counter(proposal.origin for proposal in algorithm.propose(finished(50), SPACE, count=400, seed=1))
    assert origins[Origin.MUTATION] == pytest.approx(200, abs=35)
    assert origins[Origin.CROSSOVER] == pytest.approx(100, abs=30)
    assert origins[Origin.IMMIGRANT] == pytest.approx(100, abs=30)


def test_a_mutation_has_one_parent_and_a_crossover_two_and_the_child_differs_from_them() -> None:
    seen = finished(50)
    for proposal in EvolutionPareto(type="evolution_pareto").propose(seen, SPACE, count=100, seed=1):
        expected = {Origin.MUTATION: 1, Origin.CROSSOVER: 2, Origin.IMMIGRANT: 0}[proposal.origin]
        assert len(set(proposal.parents)) == expected
        assert all(seen.architecture(number) != proposal.architecture for number in proposal.parents)


def test_the_initial_ones_are_random() -> None:
    proposals = EvolutionPareto(type="evolution_pareto", initial=60).propose(finished(50), SPACE, count=20, seed=1)
    assert [proposal.origin for proposal in proposals[:10]] == [Origin.RANDOM] * 10
    assert Origin.MUTATION in {proposal.origin for proposal in proposals[10:]}


def test_parents_are_sorted_by_rank_then_by_crowding() -> None:
    points = {0: (5, 5), 1: (1, 9), 2: (9, 1), 3: (4, 4), 4: (4.1, 3.9), 5: (9, 9)}
    architectures = {number: Architecture("s", {"n": number}) for number in points}
    metrics = {number: {"miou": -float(x), "macs": float(y)} for number, (x, y) in points.items()}
    parents = select_parents(history(architectures, metrics), population=5)
    assert parents.numbers[:2] == (1, 2)
    assert set(parents.numbers[2:4]) == {3, 4}
    assert parents.numbers[4] == 0


def test_a_tournament_prefers_the_better() -> None:
    parents = select_parents(finished(50), population=10)
    rng = np.random.default_rng(0)
    drawn = Counter(parents.draw(2, rng) for _ in range(2000))
    assert drawn[parents.numbers[0]] / 2000 == pytest.approx(0.19, abs=0.04)
    assert drawn[parents.numbers[-1]] / 2000 == pytest.approx(0.01, abs=0.01)


def test_something_must_be_asked_for() -> None:
    with pytest.raises(ValidationError, match="cannot all be 0"):
        EvolutionPareto(type="evolution_pareto", mutate=0, crossover=0, immigrants=0)
