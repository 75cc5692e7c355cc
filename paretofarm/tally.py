"""How often an architecture takes which option: what can be said of the choices of any space, without knowing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paretofarm.architecture import Value
from paretofarm.choice import Choice

_LEAST = 3
"""Choices with the same options that are tallied: what is said of one or two is in the encoding already."""


@dataclass(frozen=True)
class _Kin:
    """Choices with the same options, such as the operations of all layers."""

    names: tuple[str, ...]
    options: tuple[Value, ...]
    ordered: bool


class Tally:
    """Of choices with the same options: the mean rank where they are ordered, else the share of each option.

    A network of fifty layers has fifty choices of an operation, and how many of them are 7×7 tells most of its cost.
    """

    def __init__(self, choices: Sequence[Choice]) -> None:
        groups: dict[tuple[tuple[Value, ...], bool], list[str]] = {}
        for choice in choices:
            groups.setdefault((choice.options, choice.ordered), []).append(choice.name)
        self._kins = [_Kin(tuple(names), *kind) for kind, names in groups.items() if len(names) >= _LEAST]

    def numbers(self, choices: Mapping[str, Value]) -> dict[str, float]:
        """By name; the same names for every architecture. Of no use at all where nothing is used: zeros."""
        found = {"choices": float(len(choices))}
        for kin in self._kins:
            taken = [choices[name] for name in kin.names if name in choices]
            head, count = f"{kin.names[0]} and its like", max(len(taken), 1)
            if kin.ordered:
                found[f"{head}: mean rank"] = sum(kin.options.index(value) for value in taken) / count
            else:
                found |= {f"{head}: {option}": taken.count(option) / count for option in kin.options}
        return found
