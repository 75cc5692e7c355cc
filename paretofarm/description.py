"""What can be said of an architecture without building it: what surrogates learn from beside the choices themselves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from paretofarm.architecture import Value


@dataclass(frozen=True)
class Description:
    """Generic quantities of one architecture; all architectures of a space are described by the same names.

    numbers: whatever may explain accuracy or latency (logarithms of MACs and parameters, depth, paths, …), finite.
    reduced: the choices as they take effect, with the names and options of the space: what cannot be reached from
    the output is set to whatever stands for nothing. Empty where every choice takes effect.
    known: metrics by key whose exact values cost nothing; surrogates do not model them.
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    reduced: Mapping[str, Value] = field(default_factory=dict)
    known: Mapping[str, float] = field(default_factory=dict)


Describe = Callable[[Mapping[str, Value]], Description]
"""Describes the used choices of one architecture. Pure, and quick: it is asked of thousands."""
