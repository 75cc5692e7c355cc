"""Whole searches over NAS-Bench-201's table, one candidate at a time: does an algorithm learn, and how it chooses."""

from pathlib import Path

import numpy as np
import pytest

from paretofarm.algorithms import LocalSearch, Nsga2, Origin, Proposal, RandomSearch, RegularizedEvolution
from paretofarm.algorithms.port import SearchAlgorithm
from paretofarm.architecture import Architecture
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import Goal
from paretofarm.objective import Objective
from paretofarm.pareto import hypervolume
from paretofarm.spaces import NasBench201Space
from paretofarm.spaces.nas_bench_201 import OfficialNumbers, to_codes

TABLE = Path(__file__).parents[3] / "benchmarks" / "data" / "nb201_hw.npz"
OBJECTIVES = (
    Objective(name="accuracy", goal=Goal.MAXIMIZE),
    Objective(name="latency_ms", goal=Goal.MINIMIZE, device="virtual"),
)
SPACE = NasBench201Space(type="nas_bench_201").search_space()
EVALUATIONS = 200
SEEDS = (1, 2)


class Table:
    """Objectives by architecture, minimised."""

    def __init__(self) -> None:
        with np.load(TABLE) as arrays:
            self._numbers = OfficialNumbers(arrays["ops"])
            self.points = np.stack([100 - arrays["val_acc_200_cifar10"], arrays["lat_pixel3"]], axis=1)

    def metrics(self, architecture: Architecture) -> dict[str, float]:
        error, latency = self.points[self._numbers.number(architecture)].tolist()
        return {"accuracy": 1 - error / 100, "latency_ms@virtual": latency}

    def hypervolume(self, history: History) -> float:
        """Up to the medians of the table."""
        points = history.points * [100, 1] + [100, 0]
        return hypervolume(points, np.median(self.points, axis=0))


@pytest.fixture(scope="module")
def table() -> Table:
    return Table()


def search(algorithm: SearchAlgorithm, table: Table, seed: int, evaluations: int = EVALUATIONS) -> History:
    """The history after so many evaluations, each finished before the next is proposed."""
    members: list[Member] = []
    architectures: dict[int, Architecture] = {}
    for number in range(evaluations):
        history = History(members, OBJECTIVES, (), architectures)
        (proposal,) = algorithm.propose(history, SPACE, count=1, seed=seed)
        architectures[number] = proposal.architecture
        metrics = table.metrics(proposal.architecture)
        members.append(Member(number, proposal.architecture.digest, CandidateStatus.COMPLETE, metrics))
    return History(members, OBJECTIVES, (), architectures)


def mean_hypervolume(algorithm: SearchAlgorithm, table: Table) -> float:
    return float(np.mean([table.hypervolume(search(algorithm, table, seed)) for seed in SEEDS]))


@pytest.fixture(scope="module")
def by_chance(table: Table) -> float:
    return mean_hypervolume(RandomSearch(type="random"), table)


@pytest.mark.parametrize(
    "algorithm",
    [
        Nsga2(type="nsga2"),
        RegularizedEvolution(type="regularized_evolution", population=25, tournament=8),
        LocalSearch(type="local_search"),
    ],
    ids=lambda algorithm: algorithm.type,
)
def test_it_finds_more_than_chance_does(algorithm: SearchAlgorithm, table: Table, by_chance: float) -> None:
    assert mean_hypervolume(algorithm, table) > 1.05 * by_chance


def propose(algorithm: SearchAlgorithm, history: History, count: int = 60) -> list[Proposal]:
    return list(algorithm.propose(history, SPACE, count=count, seed=5))


def differences(a: Architecture, b: Architecture) -> int:
    return sum(x != y for x, y in zip(to_codes(a), to_codes(b), strict=True))


def test_local_search_steps_to_neighbours_of_the_front(table: Table) -> None:
    history = search(RandomSearch(type="random"), table, seed=1, evaluations=60)
    front = {member.number for member in history.feasible if _on_front(history, member)}
    proposals = propose(LocalSearch(type="local_search", restart=0.0), history)
    assert {proposal.parents[0] for proposal in proposals} <= front
    for proposal in proposals:
        assert differences(proposal.architecture, history.architecture(proposal.parents[0])) == 1


def test_local_search_restarts_where_it_has_tried_every_neighbour(table: Table) -> None:
    best = Architecture(SPACE.name, dict(search(RandomSearch(type="random"), table, 1, 1).architecture(0).choices))
    members = [Member(0, best.digest, CandidateStatus.COMPLETE, {"accuracy": 1.0, "latency_ms@virtual": 1.0})]
    architectures = dict(enumerate([best, *SPACE.neighbours(best)]))
    for number in range(1, len(architectures)):
        worse = {"accuracy": 0.5, "latency_ms@virtual": 9.0}
        members.append(Member(number, architectures[number].digest, CandidateStatus.COMPLETE, worse))
    history = History(members, OBJECTIVES, (), architectures)
    proposals = propose(LocalSearch(type="local_search", initial=1, restart=0.0), history, count=5)
    assert [proposal.origin for proposal in proposals] == [Origin.IMMIGRANT] * 5


def test_regularized_evolution_lets_the_oldest_die_however_good(table: Table) -> None:
    history = search(RandomSearch(type="random"), table, seed=2, evaluations=100)
    algorithm = RegularizedEvolution(type="regularized_evolution", population=30, tournament=30)
    parents = {proposal.parents[0] for proposal in propose(algorithm, history)}
    assert min(parents) >= 70


def test_a_tournament_of_all_is_won_by_the_front_of_the_living(table: Table) -> None:
    history = search(RandomSearch(type="random"), table, seed=2, evaluations=100)
    algorithm = RegularizedEvolution(type="regularized_evolution", population=100, tournament=100)
    for proposal in propose(algorithm, history):
        assert _on_front(history, history.members[proposal.parents[0]])


def test_nsga2_takes_as_many_crossovers_and_copies_as_asked_for(table: Table) -> None:
    history = search(RandomSearch(type="random"), table, seed=3, evaluations=100)
    only_mutants = propose(Nsga2(type="nsga2", population=20, crossover=0.0), history)
    assert {proposal.origin for proposal in only_mutants} == {Origin.MUTATION}
    crossed = propose(Nsga2(type="nsga2", population=20, crossover=1.0, mutation=0.0), history)
    for proposal in crossed:
        if proposal.origin is Origin.CROSSOVER:
            a, b = (history.architecture(number) for number in proposal.parents)
            codes = zip(to_codes(proposal.architecture), to_codes(a), to_codes(b), strict=True)
            assert all(child in (first, second) for child, first, second in codes)
    assert sum(proposal.origin is Origin.CROSSOVER for proposal in crossed) > 30


def _on_front(history: History, member: Member) -> bool:
    points = history.points
    mine = points[history.feasible.index(member)]
    return not bool(((points <= mine).all(axis=1) & (points < mine).any(axis=1)).any())
