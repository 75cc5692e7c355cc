"""How many assignments a list of conditional choices allows, and all of them in order."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from paretofarm.architecture import Value
from paretofarm.choice import Choice

_State = frozenset[tuple[str, Value]]


def count_assignments(choices: Sequence[Choice]) -> int:
    """Exact number, however great, in one pass over the choices.

    Assignments that agree in all choices which later conditions still mention are counted together, so the time goes
    with the number of those combinations: a handful where choices are declared next to what depends on them.
    """
    last_mention = _last_mentions(choices)
    counts: dict[_State, int] = {frozenset(): 1}
    for position, choice in enumerate(choices):
        following: dict[_State, int] = defaultdict(int)
        for state, count in counts.items():
            kept = frozenset(item for item in state if last_mention[item[0]] > position)
            if not choice.applies(dict(state)):
                following[kept] += count
            elif last_mention.get(choice.name, 0) > position:
                for option in choice.options:
                    following[kept | {(choice.name, option)}] += count
            else:
                following[kept] += count * len(choice.options)
        counts = following
    return sum(counts.values())


def _last_mentions(choices: Sequence[Choice]) -> dict[str, int]:
    return {
        name: position
        for position, choice in enumerate(choices)
        if choice.condition is not None
        for name, _ in choice.condition.requirements
    }


def all_assignments(choices: Sequence[Choice]) -> Iterator[dict[str, Value]]:
    """Depth first, in order of declaration."""
    yield from _completions(choices, 0, {})


def _completions(choices: Sequence[Choice], position: int, values: Mapping[str, Value]) -> Iterator[dict[str, Value]]:
    if position == len(choices):
        yield dict(values)
        return
    choice = choices[position]
    if not choice.applies(values):
        yield from _completions(choices, position + 1, values)
        return
    for option in choice.options:
        yield from _completions(choices, position + 1, {**values, choice.name: option})
