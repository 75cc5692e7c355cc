"""What every search space must do, whatever its choices; one subclass per space."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paretofarm.architecture import Architecture
from paretofarm.choice import Choice
from paretofarm.errors import ArchitectureError
from paretofarm.search_space import SearchSpace
from paretofarm.spaces import HourglassMobileSpace, HourglassSpace, MobileClassifierSpace, NasBench201Space

SEEDS = st.integers(0, 2**32 - 1)
some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.differing_executors])


class SearchSpaceContract:
    """Subclasses give the space."""

    space: SearchSpace

    def sample(self, seed: int) -> Architecture:
        return self.space.sample(np.random.default_rng(seed))

    def pair(self, seed: int) -> tuple[Architecture, Architecture]:
        rng = np.random.default_rng(seed)
        return self.space.sample(rng), self.space.sample(rng)

    def assert_member(self, architecture: Architecture) -> None:
        assert self.space.validate(architecture.choices) == architecture
        assert architecture.space == self.space.name

    @some
    @given(seed=SEEDS)
    def test_a_sample_is_a_member_and_the_same_for_the_same_seed(self, seed: int) -> None:
        architecture = self.sample(seed)
        self.assert_member(architecture)
        assert self.sample(seed).canonical_json == architecture.canonical_json

    @some
    @given(seed=SEEDS)
    def test_json_round_trip_keeps_the_digest(self, seed: int) -> None:
        architecture = self.sample(seed)
        document = json.loads(architecture.canonical_json)
        again = Architecture.from_dict(document)
        assert again == architecture
        assert again.canonical_json == architecture.canonical_json
        assert self.space.validate(document["choices"]).digest == architecture.digest

    @some
    @given(seed=SEEDS)
    def test_a_mutation_is_another_member(self, seed: int) -> None:
        architecture = self.sample(seed)
        mutant = self.space.mutate(architecture, np.random.default_rng(seed + 1))
        assert mutant is not None
        self.assert_member(mutant)
        assert mutant.digest != architecture.digest

    @some
    @given(seed=SEEDS)
    def test_a_child_is_a_member_that_differs_from_both_parents(self, seed: int) -> None:
        a, b = self.pair(seed)
        child = self.space.crossover(a, b, np.random.default_rng(seed + 1))
        common = {name for name in a.choices if name in b.choices and a.choices[name] != b.choices[name]}
        if len(common) < 2:
            assert child is None
        elif child is not None:
            self.assert_member(child)
            assert child.digest not in {a.digest, b.digest}

    @some
    @given(seed=SEEDS)
    def test_a_child_has_only_what_a_parent_had_where_a_parent_used_the_choice(self, seed: int) -> None:
        a, b = self.pair(seed)
        child = self.space.crossover(a, b, np.random.default_rng(seed + 1))
        for name, value in child.choices.items() if child else ():
            inherited = {parent.choices[name] for parent in (a, b) if name in parent.choices}
            assert not inherited or value in inherited

    def test_no_child_of_equal_parents(self) -> None:
        architecture = self.sample(3)
        assert self.space.crossover(architecture, architecture, np.random.default_rng(0)) is None

    @settings(some, max_examples=5)
    @given(seed=SEEDS)
    def test_neighbours_are_distinct_members(self, seed: int) -> None:
        architecture = self.sample(seed)
        for rng in (None, np.random.default_rng(seed)):
            neighbours = self.space.neighbours(architecture, rng)
            digests = {neighbour.digest for neighbour in neighbours}
            assert len(digests) == len(neighbours) > 0
            assert architecture.digest not in digests
            for neighbour in neighbours[:50]:
                self.assert_member(neighbour)
                shared = [name for name in neighbour.choices if name in architecture.choices]
                assert sum(neighbour.choices[name] != architecture.choices[name] for name in shared) == 1

    @some
    @given(seed=SEEDS)
    def test_encodings_have_one_length_lie_in_the_unit_cube_and_tell_architectures_apart(self, seed: int) -> None:
        a, b = self.pair(seed)
        first, second = self.space.encode(a), self.space.encode(b)
        assert first.shape == second.shape == (len(self.space.encoding_names),)
        assert first.min() >= 0 and first.max() <= 1
        assert (a == b) == bool((first == second).all())
        assert len(set(self.space.encoding_names)) == len(self.space.encoding_names)

    def test_a_missing_choice_is_named_with_its_options(self) -> None:
        choices = dict(self.sample(0).choices)
        name = next(iter(choices))
        del choices[name]
        with pytest.raises(ArchitectureError, match=rf"{name} is missing: must be one of \["):
            self.space.validate(choices)

    def test_a_wrong_value_is_named_with_the_options(self) -> None:
        choices = dict(self.sample(0).choices)
        name = next(iter(choices))
        with pytest.raises(ArchitectureError, match=rf"{name} = 'no such': must be one of \["):
            self.space.validate({**choices, name: "no such"})

    def test_an_unknown_choice_is_named(self) -> None:
        with pytest.raises(ArchitectureError, match="colour = 'red' is not a choice"):
            self.space.validate({**self.sample(0).choices, "colour": "red"})

    def test_there_are_as_many_as_size_says_or_more_than_one_can_count(self) -> None:
        assert self.space.size() > 1
        if self.space.size() < 10_000:
            assert len({architecture.digest for architecture in self.space.enumerate()}) <= self.space.size()


class TestHourglass(SearchSpaceContract):
    space = HourglassSpace(type="hourglass", input_size=256).search_space()


class TestHourglassMobile(SearchSpaceContract):
    space = HourglassMobileSpace(type="hourglass_mobile", input_size=256).search_space()


class TestMobileClassifier(SearchSpaceContract):
    space = MobileClassifierSpace(type="mobile_classifier", input_size=32).search_space()


class TestNasBench201(SearchSpaceContract):
    space = NasBench201Space(type="nas_bench_201").search_space()


_layers = Choice("layers", (1, 2, 3), ordered=True)
_kind = Choice("kind", ("plain", "wide"))


class TestConditional(SearchSpaceContract):
    space = SearchSpace(
        "conditional",
        (
            _layers,
            _kind,
            Choice("width", (1.0, 1.5, 2), ordered=True, condition=_kind.is_in("wide")),
            Choice("bias", (False, True), condition=_layers.at_least(2)),
            Choice("op3", ("a", "b", "c"), condition=_layers.at_least(3) & _kind.is_in("wide")),
            Choice("fixed", ("only",)),
        ),
    )


class TestWithRule(SearchSpaceContract):
    space = SearchSpace(
        "ruled",
        tuple(Choice(name, tuple(range(5)), ordered=True) for name in "abcd"),
        rule=lambda values: "a and b must not be equal" if values["a"] == values["b"] else None,
    )

    def test_the_rule_says_why(self) -> None:
        with pytest.raises(ArchitectureError, match="search space ruled: a and b must not be equal"):
            self.space.validate({"a": 1, "b": 1, "c": 0, "d": 0})
