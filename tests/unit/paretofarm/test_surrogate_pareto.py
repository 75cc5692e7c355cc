"""Guided evolution on problems whose truth is known."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from paretofarm.algorithms import EvolutionPareto, Proposal, RandomSearch, SearchAlgorithm, SurrogatePareto
from paretofarm.architecture import Architecture, Value
from paretofarm.choice import Choice
from paretofarm.description import Description
from paretofarm.history import History, Member
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import Goal
from paretofarm.objective import Constraint, Objective
from paretofarm.pareto import hypervolume
from paretofarm.search_space import SearchSpace
from paretofarm.surrogates.outlook import look_ahead

OBJECTIVES = (
    Objective(name="accuracy", goal=Goal.MAXIMIZE),
    Objective(name="latency_ms", goal=Goal.MINIMIZE, device="phone"),
)
LATENCY = "latency_ms@phone"
WIDTHS = tuple(Choice(f"width{place}", (1, 2, 3, 4, 5, 6), ordered=True) for place in range(6))
KINDS = tuple(Choice(f"kind{place}", ("plain", "fast", "good")) for place in range(6))
Metrics = Callable[[Mapping[str, Value]], dict[str, float]]
SURROGATE = SurrogatePareto(type="surrogate_pareto", initial=12, pool=300)


def truth(choices: Mapping[str, Value]) -> dict[str, float]:
    """Wide layers are slow and good with diminishing returns; kinds matter, and two kinds beside each other do."""
    widths = [float(choices[f"width{place}"]) for place in range(6)]
    kinds = [str(choices[f"kind{place}"]) for place in range(6)]
    latency = sum(
        width * {"plain": 1.0, "fast": 0.6, "good": 1.4}[kind] for width, kind in zip(widths, kinds, strict=True)
    )
    gain = sum(
        np.log1p(width) * {"plain": 1.0, "fast": 0.9, "good": 1.3}[kind]
        for width, kind in zip(widths, kinds, strict=True)
    )
    gain += sum(0.3 for left, right in pairwise(kinds) if (left, right) == ("fast", "good"))
    return {"accuracy": float(1.0 - np.exp(-gain / 6.0)), LATENCY: float(latency)}


def space(describe: Callable[[Mapping[str, Value]], Description] | None = None) -> SearchSpace:
    return SearchSpace("layers", (*WIDTHS, *KINDS), describe=describe)


def run(
    algorithm: SearchAlgorithm,
    evaluations: int,
    *,
    metrics: Metrics = truth,
    constraints: tuple[Constraint, ...] = (),
    over: SearchSpace | None = None,
    count: int = 1,
    seed: int = 1,
) -> tuple[list[Proposal], History]:
    """Evaluates what is proposed, `count` at a time."""
    where = over or space()
    architectures: dict[int, Architecture] = {}
    members: list[Member] = []
    proposals: list[Proposal] = []
    while len(members) < evaluations:
        history = History(members, OBJECTIVES, constraints, architectures)
        for proposal in algorithm.propose(history, where, count=count, seed=seed):
            found = metrics(proposal.architecture.choices)
            broken = any(not constraint.holds(found[constraint.key]) for constraint in constraints)
            status = CandidateStatus.INFEASIBLE if broken else CandidateStatus.COMPLETE
            architectures[len(members)] = proposal.architecture
            members.append(Member(len(members), proposal.architecture.digest, status, found))
            proposals.append(proposal)
    return proposals, History(members, OBJECTIVES, constraints, architectures)


def volume(history: History) -> float:
    return hypervolume(history.points, np.array([-0.5, 25.0]))


@pytest.mark.parametrize("seed", [1, 2])
def test_it_beats_evolution_and_random_search_with_as_many_evaluations(seed: int) -> None:
    guided = volume(run(SURROGATE, 60, seed=seed)[1])
    evolved = volume(run(EvolutionPareto(type="evolution_pareto", initial=12), 60, seed=seed)[1])
    drawn = volume(run(RandomSearch(type="random"), 60, seed=seed)[1])
    assert guided > evolved
    assert guided > drawn


@pytest.mark.parametrize("seed", [1, 2])
def test_four_at_a_time_still_beat_evolution_one_after_the_other(seed: int) -> None:
    together = volume(run(SURROGATE, 60, count=4, seed=seed)[1])
    assert together > volume(run(EvolutionPareto(type="evolution_pareto", initial=12), 60, seed=seed)[1])


def test_a_restart_changes_no_proposal() -> None:
    _, history = run(SURROGATE, 30)
    cold = space()
    kept = [proposal.architecture.digest for proposal in SURROGATE.propose(history, space(), count=4, seed=1)]
    assert [proposal.architecture.digest for proposal in SURROGATE.propose(history, cold, count=4, seed=1)] == kept


def test_what_is_in_flight_is_not_crowded() -> None:
    """Eight proposals of one call are eight different bets: their latencies differ."""
    _, history = run(SURROGATE, 30)
    proposals = SURROGATE.propose(history, space(), count=8, seed=1)
    latencies = {round(truth(proposal.architecture.choices)[LATENCY], 1) for proposal in proposals}
    assert len(latencies) >= 4


def test_a_metric_that_is_pure_chance_is_left_to_evolution_which_says_so() -> None:
    chance = np.random.default_rng(5)

    def noise(choices: Mapping[str, Value]) -> dict[str, float]:
        return {"accuracy": float(chance.random()), LATENCY: truth(choices)[LATENCY]}

    proposals, _ = run(SURROGATE, 60, metrics=noise)
    remarks = [proposal.remark for proposal in proposals if proposal.remark]
    assert remarks
    assert "accuracy predicts no better than chance" in remarks[0]


def test_a_metric_that_can_be_predicted_draws_no_remark() -> None:
    assert not any(proposal.remark for proposal in run(SURROGATE, 40)[0])


def test_limits_are_kept_once_they_have_been_learnt() -> None:
    """By five searches together: how often one of them bets on what is at the limit is a matter of luck."""
    tight = (Constraint(name="latency_ms", device="phone", at_most=14.0),)
    kept, lost = [], []
    for seed in range(5):
        _, history = run(SURROGATE, 60, constraints=tight, seed=seed)
        kept += [member.status is CandidateStatus.COMPLETE for member in history.members if member.number >= 30]
        _, drawn = run(RandomSearch(type="random"), 60, constraints=tight, seed=seed)
        lost += [member.status is CandidateStatus.INFEASIBLE for member in drawn.members]
    # The best are at the limit, so some bets are lost; random search loses nearly all.
    assert np.mean(kept) >= 0.3
    assert np.mean(kept) > 3 * (1 - np.mean(lost))


def test_what_the_space_knows_is_not_modelled_but_looked_up() -> None:
    def known(choices: Mapping[str, Value]) -> Description:
        return Description(known={LATENCY: truth(choices)[LATENCY]})

    limit = (Constraint(name="latency_ms", device="phone", at_most=14.0),)
    proposals, history = run(SURROGATE, 40, over=space(known), constraints=limit)
    guided = [member for member in history.members if member.number >= 20]
    assert all(member.status is CandidateStatus.COMPLETE for member in guided)
    assert len(proposals) == 40


def test_three_objectives_are_looked_ahead_for_too() -> None:
    third = Objective(name="parameters", goal=Goal.MINIMIZE)

    def metrics(choices: Mapping[str, Value]) -> dict[str, float]:
        return {**truth(choices), "parameters": float(sum(float(choices[f"width{place}"]) ** 2 for place in range(6)))}

    architectures = {number: space().sample(np.random.default_rng(number)) for number in range(30)}
    members = [
        Member(number, architecture.digest, CandidateStatus.COMPLETE, metrics(architecture.choices))
        for number, architecture in architectures.items()
    ]
    history = History(members, (*OBJECTIVES, third), (), architectures)
    proposals = SURROGATE.propose(history, space(), count=3, seed=1)
    assert len({proposal.architecture.digest for proposal in proposals}) == 3


def test_latencies_that_others_measured_count_but_are_nobodys_parents() -> None:
    """Fewer of them the more there are of its own, and none of them tells of accuracy."""
    rng = np.random.default_rng(3)
    drawn = [space().sample(rng) for _ in range(45)]
    members = [
        Member(number, each.digest, CandidateStatus.COMPLETE, truth(each.choices)) for number, each in enumerate(drawn)
    ]
    own, others = (
        members[:5],
        [
            Member(-1 - member.number, member.digest, CandidateStatus.PAUSED, {LATENCY: member.metrics[LATENCY]})
            for member in members[5:]
        ],
    )
    architectures = {member.number: each for member, each in zip([*own, *others], drawn, strict=True)}
    history = History(own, OBJECTIVES, (), architectures, measured=others)
    typical = [space().described.row(each) for each in drawn]
    beliefs = look_ahead(history, space(), typical=typical)
    alone = look_ahead(History(own, OBJECTIVES, (), architectures), space(), typical=typical)
    assert beliefs is None and alone is None  # nor are there enough accuracies
    more = [*own, *(replace(member, number=5 + place) for place, member in enumerate(members[5:12]))]
    known = {**architectures, **{member.number: each for member, each in zip(more, drawn[:12], strict=True)}}
    outlook = look_ahead(History(more, OBJECTIVES, (), known, measured=others[7:]), space(), typical=typical)
    assert outlook is not None
    assert {key: belief.observations for key, belief in outlook._beliefs.items()} == {
        "accuracy": 12,
        LATENCY: 12 + 33 - 12,
    }
    proposals = SURROGATE.propose(History(more, OBJECTIVES, (), known, measured=others[7:]), space(), count=4, seed=1)
    assert all(parent >= 0 for proposal in proposals for parent in proposal.parents)
