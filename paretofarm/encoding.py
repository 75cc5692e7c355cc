"""Architectures as fixed-length vectors, for surrogates and distances."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from paretofarm.architecture import Value
from paretofarm.choice import Choice


class Encoding:
    """One vector per assignment, different for different assignments, every element in [0, 1].

    Per choice, in order of declaration: its activity (1 where used; left out for choices that are always used), then
    its value, zero where unused: the rank scaled to [0, 1] for ordered choices, one element per option otherwise.
    """

    def __init__(self, choices: Sequence[Choice]) -> None:
        self.names = tuple(name for choice in choices for name in _names(choice))
        self.ordered = np.array([ordered for choice in choices for ordered in _ordered(choice)], dtype=bool)
        self._offsets: dict[str, tuple[Choice, int]] = {}
        offset = 0
        for choice in choices:
            self._offsets[choice.name] = (choice, offset)
            offset += sum(1 for _ in _names(choice))

    def encode(self, values: Mapping[str, Value]) -> np.ndarray:
        """Float64, shape [len(names)]."""
        vector = np.zeros(len(self.names))
        for name, value in values.items():
            choice, offset = self._offsets[name]
            if choice.condition is not None:
                vector[offset] = 1.0
                offset += 1
            rank = choice.rank[value]
            if choice.ordered:
                vector[offset] = rank / max(len(choice.options) - 1, 1)
            else:
                vector[offset + rank] = 1.0
        return vector


def _names(choice: Choice) -> Iterator[str]:
    if choice.condition is not None:
        yield f"{choice.name}:used"
    if choice.ordered:
        yield choice.name
    else:
        yield from (f"{choice.name}={option}" for option in choice.options)


def _ordered(choice: Choice) -> list[bool]:
    """Of each of the choice's elements, whether it is a rank."""
    used = [] if choice.condition is None else [False]
    return used + ([True] if choice.ordered else [False] * len(choice.options))
