"""One decision of a search space, and the condition under which it has to be taken at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from paretofarm.architecture import Value, canonical_value
from paretofarm.errors import ArchitectureError


@dataclass(frozen=True)
class Condition:
    """Holds where every named choice is used and set to one of the values that go with it."""

    requirements: tuple[tuple[str, frozenset[Value]], ...]

    def holds(self, values: Mapping[str, Value]) -> bool:
        return all(values.get(name) in allowed for name, allowed in self.requirements)

    def __and__(self, other: Self) -> "Condition":
        return Condition(self.requirements + other.requirements)


@dataclass(frozen=True)
class Choice:
    """A name and the values it can take.

    ordered: the options have a meaningful order (sizes, counts), so that surrogates may see them as a scale.
    condition: the choice is used only where this holds; it may mention earlier choices only. None: always used.
    """

    name: str
    options: tuple[Value, ...]
    ordered: bool = False
    condition: Condition | None = None

    def __post_init__(self) -> None:
        options = tuple(canonical_value(self.name, option) for option in self.options)
        object.__setattr__(self, "options", options)
        if not options or len(set(options)) < len(options):
            raise ArchitectureError(f"choice {self.name}: needs options that differ, got {list(options)}")

    @cached_property
    def rank(self) -> Mapping[Value, int]:
        """Position of each option."""
        return {option: position for position, option in enumerate(self.options)}

    def applies(self, values: Mapping[str, Value]) -> bool:
        return self.condition is None or self.condition.holds(values)

    def accepts(self, value: Value) -> bool:
        """An option of the same type: to Python True equals 1, to us it does not."""
        position = self.rank.get(value)
        return position is not None and isinstance(value, bool) == isinstance(self.options[position], bool)

    def is_in(self, *values: Value) -> Condition:
        """Condition: this choice is used and set to one of the values."""
        unknown = [value for value in values if value not in self.rank]
        if unknown:
            raise ArchitectureError(f"condition on {self.name}: {unknown} are not among {list(self.options)}")
        return Condition(((self.name, frozenset(values)),))

    def at_least(self, minimum: float) -> Condition:
        """Condition: this choice (of numbers) is used and set to `minimum` or more."""
        return self.is_in(*(option for option in self.options if not isinstance(option, str) and option >= minimum))
