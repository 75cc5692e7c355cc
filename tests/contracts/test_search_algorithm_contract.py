"""What every search algorithm must do; one subclass per algorithm."""

import numpy as np
import pytest

from paretofarm.algorithms import (
    EvolutionPareto,
    LocalSearch,
    Nsga2,
    Proposal,
    RandomSearch,
    RegularizedEvolution,
    SearchAlgorithm,
    SurrogatePareto,
)
from paretofarm.architecture import Architecture
from paretofarm.choice import Choice
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import Goal
from paretofarm.objective import Objective
from paretofarm.search_space import SearchSpace
from paretofarm.spaces import HourglassSpace

OBJECTIVES = (Objective(name="miou", goal=Goal.MAXIMIZE), Objective(name="macs", goal=Goal.MINIMIZE))
LARGE = HourglassSpace(type="hourglass", input_size=64).search_space()
SMALL = SearchSpace("small", tuple(Choice(name, (0, 1, 2), ordered=True) for name in "abc"))
STATUSES = (
    CandidateStatus.COMPLETE,
    CandidateStatus.RUNNING,
    CandidateStatus.FAILED,
    CandidateStatus.COMPLETE,
    CandidateStatus.INFEASIBLE,
    CandidateStatus.PROPOSED,
)


def history_of(architectures: dict[int, Architecture], statuses: tuple[CandidateStatus, ...] = STATUSES) -> History:
    """As in the middle of a search; every status occurs. Failed and infeasible ones have the best metrics of all."""
    rng = np.random.default_rng(0)
    members = []
    for position, (number, architecture) in enumerate(architectures.items()):
        status = statuses[position % len(statuses)]
        rejected = status in (CandidateStatus.FAILED, CandidateStatus.INFEASIBLE)
        metrics = {"miou": 1.0, "macs": 1.0} if rejected else {"miou": rng.random(), "macs": rng.random() * 1e6}
        members.append(Member(number, architecture.digest, status, {} if not status.is_final else metrics))
    return History(members, OBJECTIVES, (), architectures)


def samples(space: SearchSpace, count: int) -> dict[int, Architecture]:
    rng = np.random.default_rng(1)
    found = {architecture.digest: architecture for architecture in (space.sample(rng) for _ in range(count * 3))}
    return dict(enumerate(list(found.values())[:count], start=100))


def digests(proposals: list[Proposal]) -> list[str]:
    return [proposal.architecture.digest for proposal in proposals]


class SearchAlgorithmContract:
    """Subclasses give the algorithm, and how many of its first proposals look at no results."""

    algorithm: SearchAlgorithm
    first_generation: int

    def propose(self, history: History, space: SearchSpace = LARGE, count: int = 1, seed: int = 7) -> list[Proposal]:
        return list(self.algorithm.propose(history, space, count=count, seed=seed))

    def test_proposals_are_members_of_the_space(self) -> None:
        for proposal in self.propose(history_of(samples(LARGE, 40)), count=30):
            assert LARGE.validate(proposal.architecture.choices) == proposal.architecture

    def test_the_same_history_and_seed_propose_the_same(self) -> None:
        history = history_of(samples(LARGE, 40))
        assert self.propose(history, count=20) == self.propose(history, count=20)
        assert digests(self.propose(history, count=20)) != digests(self.propose(history, count=20, seed=8))

    def test_the_order_of_the_rows_does_not_matter(self) -> None:
        history = history_of(samples(LARGE, 40))
        turned = History(history.members[::-1], OBJECTIVES, (), samples(LARGE, 40))
        assert self.propose(turned, count=10) == self.propose(history, count=10)

    @pytest.mark.parametrize("batch", [1, 3, 7])
    def test_the_first_generation_does_not_depend_on_batches_or_results(self, batch: int) -> None:
        at_once = digests(self.propose(history_of({}), count=self.first_generation))
        architectures: dict[int, Architecture] = {}
        while len(architectures) < self.first_generation:
            wanted = min(batch, self.first_generation - len(architectures))
            for proposal in self.propose(history_of(architectures), count=wanted):
                architectures[len(architectures)] = proposal.architecture
        assert [architecture.digest for architecture in architectures.values()] == at_once

    def test_nothing_is_proposed_twice(self) -> None:
        architectures = samples(SMALL, 20)
        proposals = self.propose(history_of(architectures), SMALL, count=7)
        assert len(set(digests(proposals))) == len(proposals)
        assert not {architecture.digest for architecture in architectures.values()} & set(digests(proposals))

    def test_a_space_is_used_up_to_the_last_member_and_then_left_alone(self) -> None:
        architectures: dict[int, Architecture] = {}
        while proposals := self.propose(history_of(architectures), SMALL, count=5):
            for proposal in proposals:
                architectures[len(architectures)] = proposal.architecture
        assert len({architecture.digest for architecture in architectures.values()}) == SMALL.size() == 27
        assert self.propose(history_of(architectures), SMALL, count=3) == []

    def test_parents_are_complete_members(self) -> None:
        history = history_of(samples(LARGE, 60))
        feasible = {member.number for member in history.feasible}
        for proposal in self.propose(history, count=60):
            assert set(proposal.parents) <= feasible

    @pytest.mark.parametrize("status", [CandidateStatus.FAILED, CandidateStatus.INFEASIBLE, CandidateStatus.RUNNING])
    def test_a_search_without_any_success_goes_on(self, status: CandidateStatus) -> None:
        history = history_of(samples(LARGE, 40), (status,))
        proposals = self.propose(history, count=5)
        assert len(proposals) == 5
        assert all(proposal.parents == () for proposal in proposals)

    def test_nothing_wanted_is_nothing_proposed(self) -> None:
        assert self.propose(history_of({}), count=0) == []


class TestRandomSearch(SearchAlgorithmContract):
    algorithm = RandomSearch(type="random")
    first_generation = 25


class TestEvolutionPareto(SearchAlgorithmContract):
    algorithm = EvolutionPareto(type="evolution_pareto", initial=20)
    first_generation = 20


class TestNsga2(SearchAlgorithmContract):
    algorithm = Nsga2(type="nsga2", population=16)
    first_generation = 16


class TestRegularizedEvolution(SearchAlgorithmContract):
    algorithm = RegularizedEvolution(type="regularized_evolution", population=15, tournament=4)
    first_generation = 15


class TestLocalSearch(SearchAlgorithmContract):
    algorithm = LocalSearch(type="local_search", initial=12)
    first_generation = 12


class TestSurrogatePareto(SearchAlgorithmContract):
    algorithm = SurrogatePareto(type="surrogate_pareto", initial=20, pool=60)
    first_generation = 20
