"""Words of a command with named gaps, `--graph={network}`: filled in as they are, never seen by a shell."""

import re
from collections.abc import Iterable, Mapping, Sequence
from string import Formatter

from paretofarm.errors import ConfigError

VARIABLE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"


def gaps(text: str) -> tuple[str, ...]:
    """Names of the gaps in a word; ValueError says what is wrong with it. `{{` and `}}` stand for braces."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}; a brace that is meant is written twice") from error
    for _, name, form, conversion in parts:
        if name is not None and (form or conversion or not re.fullmatch(r"[a-z_]+", name)):
            raise ValueError(f"{text!r}: a gap holds a name and nothing else")
    return tuple(name for _, name, _, _ in parts if name is not None)


def require_gaps(texts: Iterable[str], known: Sequence[str]) -> None:
    """ValueError where a word has a gap of another name."""
    for text in texts:
        for name in gaps(text):
            if name not in known:
                raise ValueError(f"{text!r}: there is no {{{name}}} here; known are {', '.join(known)}")
        if "\0" in text:
            raise ValueError(f"{text!r}: holds a NUL character")


def fill(text: str, values: Mapping[str, str | int]) -> str:
    """The word with its gaps filled. `ConfigError` where a value is missing."""
    parts = Formatter().parse(text)
    try:
        return "".join(literal + ("" if name is None else str(values[name])) for literal, name, _, _ in parts)
    except KeyError as error:
        raise ConfigError(f"{text!r}: nothing fills {{{error.args[0]}}}") from error
