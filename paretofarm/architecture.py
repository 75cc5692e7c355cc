"""An architecture: one member of a search space as plain data, with one canonical text and its digest."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Self

from paretofarm.errors import ArchitectureError

Value = str | int | float | bool
"""What a choice can be set to. A float without a fraction is the int: JSON tools do not keep them apart."""


@dataclass(frozen=True, eq=False)
class Architecture:
    """The used choices of one network and their values; says nothing about choices that do not apply.

    Immutable, equal by digest. The canonical text is JSON with sorted keys, no spaces and shortest floats; its
    SHA-256 is the digest, which identifies the architecture in the database for ever.
    """

    space: str
    choices: Mapping[str, Value]

    def __post_init__(self) -> None:
        canonical = {name: canonical_value(name, value) for name, value in self.choices.items()}
        object.__setattr__(self, "choices", MappingProxyType(canonical))

    @classmethod
    def from_dict(cls, document: object) -> Self:
        """Reads what `to_dict` gave (strict: no other keys, no other types). Does not know the space's rules."""
        if not isinstance(document, Mapping) or set(document) != {"space", "choices"}:
            raise ArchitectureError("an architecture has exactly the keys 'space' and 'choices'")
        space, choices = document["space"], document["choices"]
        if not isinstance(space, str) or not isinstance(choices, Mapping):
            raise ArchitectureError("an architecture's space is a string, its choices are an object")
        if not all(isinstance(name, str) for name in choices):
            raise ArchitectureError("the names of an architecture's choices are strings")
        return cls(space, choices)

    def to_dict(self) -> dict[str, str | dict[str, Value]]:
        return {"space": self.space, "choices": dict(self.choices)}

    @cached_property
    def canonical_json(self) -> str:
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical_json.encode("ascii")).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Architecture) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def canonical_value(name: str, value: object) -> Value:
    """The one form of a value: 1.0 becomes 1, everything that JSON cannot hold faithfully is refused."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ArchitectureError(f"{name} = {value!r}: must be finite")
        return int(value) if value.is_integer() else value
    if isinstance(value, str | int):
        return value
    raise ArchitectureError(f"{name} = {value!r}: must be a string, a number, true or false")
