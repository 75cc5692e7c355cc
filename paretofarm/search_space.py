"""A search space: named choices, some of which apply only where earlier ones are set so. All randomness is given."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from paretofarm.architecture import Architecture, Value, canonical_value
from paretofarm.choice import Choice
from paretofarm.counting import all_assignments, count_assignments
from paretofarm.described import Described, Row
from paretofarm.description import Describe, Description
from paretofarm.encoding import Encoding
from paretofarm.errors import ArchitectureError
from paretofarm.tally import Tally

Rule = Callable[[Mapping[str, Value]], str | None]
"""Why these choices do not fit together, or None where they do."""

_ATTEMPTS = 200


class SearchSpace:
    """All architectures that a list of choices allows, minus those that the optional rule refuses.

    Conditions are looked at in the order of declaration, so an architecture holds exactly the choices that apply: two
    that describe the same network are equal. With a rule, drawing is by rejection: it should refuse a minority.
    """

    def __init__(
        self, name: str, choices: Sequence[Choice], rule: Rule | None = None, describe: Describe | None = None
    ) -> None:
        self.name = name
        self.choices = tuple(choices)
        self._rule = rule
        self._describe = describe
        self._by_name = {choice.name: choice for choice in self.choices}
        _check_declaration(name, self.choices)

    # Drawing

    def sample(self, rng: np.random.Generator) -> Architecture:
        """Every choice uniform among its options. ArchitectureError where the rule refuses everything tried."""
        found = self._try(lambda: self._assemble(lambda choice: _draw(choice, rng)))
        if found is None:
            raise ArchitectureError(f"search space {self.name}: its rule refused {_ATTEMPTS} samples in a row")
        return found

    def mutate(self, architecture: Architecture, rng: np.random.Generator) -> Architecture | None:
        """A copy in which each used choice was changed with probability 1/n, at least one; newly used ones are drawn.

        None where no choice has another option (or the rule refuses every change tried).
        """
        old = architecture.choices
        changeable = [name for name in old if len(self._by_name[name].options) > 1]
        if not changeable:
            return None

        def attempt() -> dict[str, Value]:
            changed = {name for name in changeable if rng.random() < 1 / len(changeable)}
            changed = changed or {changeable[_index(len(changeable), rng)]}

            def pick(choice: Choice) -> Value:
                if choice.name not in old:
                    return _draw(choice, rng)
                value = old[choice.name]
                return _draw_other(choice, value, rng) if choice.name in changed else value

            return self._assemble(pick)

        return self._try(attempt)

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture | None:
        """A child that has each choice from either parent with equal chance and equals neither.

        A choice that only one parent uses comes from that one, one that none uses is drawn. None where it cannot be:
        with fewer than two common choices that differ, every child is a clone of a parent.
        """
        differing = [name for name, value in a.choices.items() if b.choices.get(name, value) != value]
        if len(differing) < 2:
            return None

        def attempt(from_b: set[str]) -> dict[str, Value]:
            def pick(choice: Choice) -> Value:
                first, second = (b.choices, a.choices) if choice.name in from_b else (a.choices, b.choices)
                value = first.get(choice.name, second.get(choice.name))
                return _draw(choice, rng) if value is None else value

            return self._assemble(pick)

        def uniform() -> dict[str, Value]:
            return attempt({name for name in differing if rng.random() < 0.5})

        parents = (dict(a.choices), dict(b.choices))
        child = self._try(uniform, lambda values: values not in parents, attempts=20)
        # Swapping one common choice never gives a clone: it differs from b in another choice that both have.
        return child or self._try(lambda: attempt({differing[_index(len(differing), rng)]}))

    def neighbours(self, architecture: Architecture, rng: np.random.Generator | None = None) -> list[Architecture]:
        """All architectures with one used choice changed; newly used choices are drawn (without rng: first option)."""
        return [
            neighbour
            for name in architecture.choices
            for option in self._by_name[name].options
            if option != architecture.choices[name]
            and (neighbour := self._with(architecture, name, option, rng)) is not None
        ]

    # Reading and describing

    def validate(self, mapping: Mapping[str, object]) -> Architecture:
        """The architecture with exactly these choices; an ArchitectureError names choice, value and options."""
        values: dict[str, Value] = {}
        for choice in self.choices:
            if choice.applies(values):
                values[choice.name] = _read(self.name, choice, mapping)
        for name in mapping:
            if name not in values:
                problem = "is not used with the other choices" if name in self._by_name else "is not a choice"
                raise ArchitectureError(f"search space {self.name}: {name} = {mapping[name]!r} {problem}")
        reason = self._rule(values) if self._rule else None
        if reason:
            raise ArchitectureError(f"search space {self.name}: {reason}")
        return Architecture(self.name, values)

    @cached_property
    def _encoding(self) -> Encoding:
        return Encoding(self.choices)

    @property
    def encoding_names(self) -> tuple[str, ...]:
        """What each element of `encode` stands for."""
        return self._encoding.names

    def encode(self, architecture: Architecture) -> np.ndarray:
        """Fixed-length float64 vector for surrogates, one per architecture; see `Encoding`."""
        return self._encoding.encode(architecture.choices)

    def describe(self, architecture: Architecture) -> Description:
        """What the space can tell without building the network; of every space its choices are tallied."""
        told = self._describe(architecture.choices) if self._describe else Description()
        return Description({**self._tally.numbers(architecture.choices), **told.numbers}, told.reduced, told.known)

    @cached_property
    def described(self) -> Described:
        """Rows of numbers for surrogates, the latest of them kept."""
        return Described(self._row)

    @cached_property
    def _tally(self) -> Tally:
        return Tally(self.choices)

    def _row(self, architecture: Architecture) -> Row:
        description = self.describe(architecture)
        numbers = np.array([description.numbers[name] for name in sorted(description.numbers)], dtype=np.float64)
        made, ordered = self.encode(architecture), self._encoding.ordered
        reduced = self._encoding.encode(description.reduced) if description.reduced else np.empty(0)
        blocks = tuple(block for block in (made[ordered], made[~ordered], reduced) if block.size)
        return Row(blocks, numbers, description.known)

    def size(self) -> int:
        """Number of architectures, exact, without enumerating them; the rule is not looked at (an upper bound then)."""
        return count_assignments(self.choices)

    def enumerate(self) -> Iterator[Architecture]:
        """All architectures in order of declaration; meant for spaces whose size has been looked at."""
        for values in all_assignments(self.choices):
            if self._allows(values):
                yield Architecture(self.name, values)

    # Helpers

    def _assemble(self, pick: Callable[[Choice], Value]) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for choice in self.choices:
            if choice.condition is None or choice.condition.holds(values):
                values[choice.name] = pick(choice)
        return values

    def _try(
        self,
        draw: Callable[[], dict[str, Value]],
        wanted: Callable[[dict[str, Value]], bool] = lambda values: True,
        attempts: int = _ATTEMPTS,
    ) -> Architecture | None:
        for _ in range(attempts):
            values = draw()
            if wanted(values) and self._allows(values):
                return Architecture(self.name, values)
        return None

    def _with(
        self, architecture: Architecture, name: str, option: Value, rng: np.random.Generator | None
    ) -> Architecture | None:
        def pick(choice: Choice) -> Value:
            if choice.name == name:
                return option
            value = architecture.choices.get(choice.name)
            if value is not None:
                return value
            return choice.options[0] if rng is None else _draw(choice, rng)

        values = self._assemble(pick)
        return Architecture(self.name, values) if self._allows(values) else None

    def _allows(self, values: Mapping[str, Value]) -> bool:
        return self._rule is None or self._rule(values) is None


def _check_declaration(space: str, choices: Sequence[Choice]) -> None:
    declared: set[str] = set()
    for choice in choices:
        mentioned = {name for name, _ in choice.condition.requirements} if choice.condition else set()
        if choice.name in declared:
            raise ArchitectureError(f"search space {space}: choice {choice.name}: declared twice")
        if not mentioned <= declared:
            missing = sorted(mentioned - declared)
            raise ArchitectureError(
                f"search space {space}: choice {choice.name}: its condition needs {missing} before it"
            )
        declared.add(choice.name)


def _index(length: int, rng: np.random.Generator) -> int:
    """Uniform in [0, length); several times quicker than `rng.integers` for single numbers."""
    return int(rng.random() * length)


def _draw(choice: Choice, rng: np.random.Generator) -> Value:
    return choice.options[_index(len(choice.options), rng)]


def _draw_other(choice: Choice, value: Value, rng: np.random.Generator) -> Value:
    """Uniform among the options that are not `value`."""
    position = _index(len(choice.options) - 1, rng)
    return choice.options[position + (position >= choice.rank[value])]


def _read(space: str, choice: Choice, mapping: Mapping[str, object]) -> Value:
    options = f"must be one of {list(choice.options)}"
    if choice.name not in mapping:
        raise ArchitectureError(f"search space {space}: {choice.name} is missing: {options}")
    value = mapping[choice.name]
    if isinstance(value, str | int | float) and choice.accepts(value):
        return canonical_value(choice.name, value)
    raise ArchitectureError(f"search space {space}: {choice.name} = {value!r}: {options}")
