"""Times in what a runner leaves, as a command's `latency` says where they are. Pure."""

import csv
import io
import json
import math
import re
from collections.abc import Iterator
from typing import Any

from paretofarm.commands import Times
from paretofarm.errors import RunnerFailed

TO_MS = {"s": 1e3, "ms": 1.0, "us": 1e-3, "ns": 1e-6}


def read_times(text: str, times: Times, *, inferences: int, warmup: int) -> tuple[float, ...]:
    """Milliseconds per inference. `RunnerFailed` where there is none, or one that is no time."""
    found = list(_words(text, times))
    if times.includes_warmup:
        found = found[warmup:]
    if times.which != "all":
        found = found[:1] if times.which == "first" else found[-1:]
    if not found:
        raise RunnerFailed(f"no time in the runner's output: {' '.join(text.split())[-300:] or 'it says nothing'}")
    share = TO_MS[times.unit] / (inferences if times.of == "block" else 1)
    return tuple(_number(word) * share for word in found)


def _words(text: str, times: Times) -> Iterator[Any]:
    if times.regex is not None:
        yield from (match["time"] for match in re.finditer(times.regex, text, re.MULTILINE))
    elif times.csv_column is not None:
        yield from _column(text, times.csv_column)
    elif times.json_path is not None:
        yield from _at(_parsed(text), times.json_path.split("."))


def _column(text: str, name: str) -> Iterator[str]:
    rows = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    if name not in (rows.fieldnames or ()):
        raise RunnerFailed(f"the runner's CSV has no column {name!r}; it has {', '.join(rows.fieldnames or ())}")
    yield from (row[name] for row in rows if row[name])


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise RunnerFailed(f"the runner's output is not JSON: {error}") from error


def _at(value: Any, path: list[str]) -> Iterator[Any]:
    """What lies at a path; a list at its end is a list of times."""
    if not path:
        yield from value if isinstance(value, list) else [value]
        return
    step, *rest = path
    try:
        places = value if step == "*" else [value[int(step) if isinstance(value, list) else step]]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise RunnerFailed(f"the runner's JSON has nothing at {step!r}") from error
    for place in places:
        yield from _at(place, rest)


def _number(word: Any) -> float:
    try:
        value = float(word)
    except (TypeError, ValueError) as error:
        raise RunnerFailed(f"{word!r} is no time") from error
    if not math.isfinite(value) or value <= 0:
        raise RunnerFailed(f"{word} is no time")
    return value
