"""One search on a problem, in memory: the algorithm as the scheduler calls it, without scheduler or database."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from paretofarm.algorithms import SearchAlgorithm
from paretofarm.architecture import Architecture
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.objective import Objective
from paretofarm.search_space import SearchSpace


class Problem(Protocol):
    """A space whose members' metrics cost nothing."""

    @property
    def space(self) -> SearchSpace: ...

    def metrics(self, architecture: Architecture) -> dict[str, float]: ...


@dataclass(frozen=True)
class Course:
    """Architectures in the order in which they were complete, and what their proposals cost, s each."""

    architectures: tuple[Architecture, ...]
    seconds_per_proposal: float


def search(
    problem: Problem,
    algorithm: SearchAlgorithm,
    objectives: Sequence[Objective],
    *,
    evaluations: int,
    seed: int,
    in_flight: int = 1,
    measured: Sequence[tuple[Member, Architecture]] = (),
) -> Course:
    """Keeps `in_flight` candidates running; with more than one each takes a random time (log-normal, σ = 0.5).

    measured: latencies that other searches know.
    """
    rng = np.random.default_rng([seed, 1])
    architectures: dict[int, Architecture] = {}
    members: dict[int, Member] = {}
    ends: dict[int, float] = {}
    now = spent = 0.0
    complete: list[Architecture] = []
    while len(complete) < evaluations:
        wanted = min(in_flight - len(ends), evaluations - len(architectures))
        if wanted > 0:
            started = time.perf_counter()
            history = History(
                list(members.values()),
                objectives,
                (),
                {**architectures, **{member.number: architecture for member, architecture in measured}},
                measured=[member for member, _ in measured],
            )
            proposals = algorithm.propose(history, problem.space, count=wanted, seed=seed)
            spent += time.perf_counter() - started
            if not proposals and not ends:
                break
            for proposal in proposals:
                number = len(architectures)
                architectures[number] = proposal.architecture
                members[number] = Member(number, proposal.architecture.digest, CandidateStatus.RUNNING, {})
                ends[number] = now + float(rng.lognormal(0.0, 0.5))
        number = min(ends, key=ends.__getitem__)
        now = ends.pop(number)
        metrics = problem.metrics(architectures[number])
        members[number] = Member(number, architectures[number].digest, CandidateStatus.COMPLETE, metrics)
        complete.append(architectures[number])
    return Course(tuple(complete), spent / max(len(architectures), 1))
