import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretofarm.architecture import Architecture
from paretofarm.choice import Choice, Condition
from paretofarm.errors import ArchitectureError
from paretofarm.search_space import SearchSpace
from paretofarm.spaces import HourglassSpace

some = settings(max_examples=60, deadline=None)


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    """Random small spaces: each choice may depend on up to two earlier ones."""
    choices: list[Choice] = []
    for position in range(draw(st.integers(1, 5))):
        options = tuple(range(draw(st.integers(1, 3))))
        condition = None
        for parent in draw(st.lists(st.sampled_from(choices), max_size=2, unique=True)) if choices else ():
            allowed = draw(st.lists(st.sampled_from(parent.options), min_size=1, unique=True))
            condition = parent.is_in(*allowed) if condition is None else condition & parent.is_in(*allowed)
        choices.append(Choice(f"c{position}", options, ordered=draw(st.booleans()), condition=condition))
    return SearchSpace("random", choices)


@some
@given(space=spaces())
def test_size_is_the_number_of_architectures(space: SearchSpace) -> None:
    everything = list(space.enumerate())
    assert len({architecture.digest for architecture in everything}) == len(everything) == space.size()


@some
@given(space=spaces())
def test_encoding_is_injective(space: SearchSpace) -> None:
    everything = list(space.enumerate())
    assert len({space.encode(architecture).tobytes() for architecture in everything}) == len(everything)


@some
@given(space=spaces(), seed=st.integers(0, 1000))
def test_mutation_differs_unless_nothing_can(space: SearchSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    architecture = space.sample(rng)
    mutant = space.mutate(architecture, rng)
    if mutant is None:
        assert all(len(choice.options) == 1 for choice in space.choices if choice.name in architecture.choices)
    else:
        assert mutant != architecture
        assert space.validate(mutant.choices) == mutant


@some
@given(space=spaces(), seed=st.integers(0, 1000))
def test_crossover_is_none_only_where_every_child_is_a_clone(space: SearchSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = space.sample(rng), space.sample(rng)
    child = space.crossover(a, b, rng)
    if child is None:
        assert _possible_children(space, a, b) <= {a, b}
    else:
        assert child not in (a, b)
        assert child in _possible_children(space, a, b)


def _possible_children(space: SearchSpace, a: Architecture, b: Architecture) -> set[Architecture]:
    """Members whose every choice is a parent's, or free where no parent uses it."""
    parents = [a.choices, b.choices]
    return {
        architecture
        for architecture in space.enumerate()
        if all(
            any(parent.get(name) == value for parent in parents) or not any(name in parent for parent in parents)
            for name, value in architecture.choices.items()
        )
    }


@some
@given(space=spaces(), seed=st.integers(0, 1000))
def test_neighbours_have_every_other_option_of_every_used_choice(space: SearchSpace, seed: int) -> None:
    architecture = space.sample(np.random.default_rng(seed))
    expected = sum(len(choice.options) - 1 for choice in space.choices if choice.name in architecture.choices)
    assert len(space.neighbours(architecture)) == expected


def test_mutation_changes_about_one_choice() -> None:
    space = SearchSpace("flat", tuple(Choice(f"c{number}", (0, 1, 2)) for number in range(50)))
    rng = np.random.default_rng(0)
    architecture = space.sample(rng)
    changes = Counter()
    for _ in range(2000):
        mutant = space.mutate(architecture, rng)
        assert mutant is not None
        changes[sum(mutant.choices[name] != value for name, value in architecture.choices.items())] += 1
    # Binomial(50, 1/50), zero changes made into one.
    assert min(changes) == 1
    assert changes[1] / 2000 == pytest.approx(0.364 + 0.372, abs=0.05)
    assert changes[2] / 2000 == pytest.approx(0.186, abs=0.04)


def test_samples_are_uniform_over_options() -> None:
    space = SearchSpace("flat", (Choice("c", ("a", "b", "c", "d")),))
    rng = np.random.default_rng(0)
    drawn = Counter(space.sample(rng).choices["c"] for _ in range(4000))
    assert all(900 < drawn[option] < 1100 for option in "abcd")


def test_an_unused_choice_is_refused() -> None:
    layers = Choice("layers", (1, 2), ordered=True)
    space = SearchSpace("s", (layers, Choice("op2", ("a", "b"), condition=layers.at_least(2))))
    with pytest.raises(ArchitectureError, match="op2 = 'a' is not used with the other choices"):
        space.validate({"layers": 1, "op2": "a"})


@pytest.mark.parametrize("value", [True, "1", None, [1], {}, float("nan"), float("inf"), 3, 1.5])
def test_a_value_of_another_type_is_refused(value: object) -> None:
    space = SearchSpace("s", (Choice("layers", (1, 2), ordered=True),))
    with pytest.raises(ArchitectureError, match=r"layers = .*: must be one of \[1, 2\]"):
        space.validate({"layers": value})


def test_true_is_not_one() -> None:
    space = SearchSpace("s", (Choice("bias", (False, True)),))
    assert space.validate({"bias": True}).choices == {"bias": True}
    with pytest.raises(ArchitectureError, match="bias = 1: must be one of"):
        space.validate({"bias": 1})


def test_a_condition_on_a_later_choice_is_refused() -> None:
    later = Choice("later", (1, 2))
    with pytest.raises(ArchitectureError, match=r"choice first: its condition needs \['later'\] before it"):
        SearchSpace("s", (Choice("first", (1, 2), condition=later.is_in(1)), later))


def test_a_choice_declared_twice_is_refused() -> None:
    with pytest.raises(ArchitectureError, match="choice a: declared twice"):
        SearchSpace("s", (Choice("a", (1, 2)), Choice("a", (1, 2))))


@pytest.mark.parametrize("options", [(), (1, 1), (1, 1.0)])
def test_options_must_differ(options: tuple[float, ...]) -> None:
    with pytest.raises(ArchitectureError, match="choice a: needs options that differ"):
        Choice("a", options)


def test_a_condition_on_a_value_that_is_no_option_is_refused() -> None:
    with pytest.raises(ArchitectureError, match=r"condition on a: \[3\] are not among \[1, 2\]"):
        Choice("a", (1, 2)).is_in(3)


def test_a_condition_on_an_unused_choice_does_not_hold() -> None:
    assert not Condition((("a", frozenset({1})),)).holds({"b": 1})


def test_a_rule_that_refuses_everything_is_an_error_not_a_hang() -> None:
    space = SearchSpace("s", (Choice("a", (1, 2)),), rule=lambda values: "never")
    with pytest.raises(ArchitectureError, match="its rule refused"):
        space.sample(np.random.default_rng(0))
    assert list(space.enumerate()) == []


def test_the_hourglass_space_samples_and_digests_within_a_millisecond() -> None:
    space = HourglassSpace(type="hourglass", input_size=256).search_space()
    rng = np.random.default_rng(0)
    times = []
    for _ in range(200):
        started = time.process_time()
        assert len(space.sample(rng).digest) == 64
        times.append(time.process_time() - started)
    assert np.median(times) < 1e-3
