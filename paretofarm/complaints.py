"""What is wrong with a document, in the words of its writer: keys as in the file, reasons without the validator's."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from paretofarm.objective import DEVICE_CLASS_PATTERN

NAME_PATTERN = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
PATTERNS: Mapping[str, str] = {
    NAME_PATTERN: "must be small letters, digits and single hyphens, beginning with a letter",
    DEVICE_CLASS_PATTERN: "must be letters, digits, `_`, `.` and `-`, beginning with a letter or digit",
}
REASONS: Mapping[str, str] = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "extra_forbidden": "unknown key",
    "finite_number": "must be a finite number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "missing": "is missing",
    "model_attributes_type": "must have keys of its own, such as `type:`",
    "model_type": "must have keys of its own",
    "multiple_of": "must be a multiple of {multiple_of}",
    "string_too_long": "must have at most {max_length} characters",
    "string_type": "must be a text",
    "too_long": "must have at most {max_length}",
    "too_short": "must have at least {min_length}",
    "tuple_type": "must be a list",
    "union_tag_invalid": "must be one of {expected_tags}",
    "union_tag_not_found": "is missing",
}
DISCRIMINATORS = ("type", "runtime")
"""Keys that say which of several models a part of the file is."""


def complaints(error: ValidationError, document: Any) -> Iterator[str]:
    """One per mistake: `key = value: reason`. document: what was validated."""
    problems = error.errors(include_url=False)
    by_key: dict[str, list[ErrorDetails]] = {}
    for problem in problems:
        if problem["type"] == "too_short" and _has_problems_inside(problem, problems):
            continue  # elements that were refused are not missing too
        by_key.setdefault(".".join(_path(problem, document)) or "the file", []).append(problem)
    for key, found in by_key.items():
        yield f"{key}{_value(found[0])}: {_either(list(map(_reason, found)))}"


def _value(problem: ErrorDetails) -> str:
    """As far as it helps."""
    value = problem.get("ctx", {}).get("tag") if problem["type"] == "union_tag_invalid" else problem["input"]
    said = problem["type"] in ("missing", "extra_forbidden") or not isinstance(value, str | int | float)
    return "" if said else f" = {value!r}"


def _either(reasons: list[str]) -> str:
    """Of a value that may be one thing or another, and is neither, the validator tells why it is not each of them."""
    first, *others = dict.fromkeys(reasons)
    return " or ".join([first, *(other.removeprefix("must be ") for other in others)])


def _reason(problem: ErrorDetails) -> str:
    context = problem.get("ctx", {})
    if problem["type"] == "string_pattern_mismatch":
        return PATTERNS.get(context["pattern"], f"must match {context['pattern']}")
    if problem["type"] in REASONS:
        return REASONS[problem["type"]].format(**{name: _plain(value) for name, value in context.items()})
    return problem["msg"].removeprefix("Value error, ").replace("Input should be", "must be")


def _plain(value: Any) -> Any:
    """Whole numbers without `.0`."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _has_problems_inside(outer: ErrorDetails, problems: list[ErrorDetails]) -> bool:
    depth = len(outer["loc"])
    return any(len(other["loc"]) > depth and other["loc"][:depth] == outer["loc"] for other in problems)


def _path(problem: ErrorDetails, document: Any) -> Iterator[str]:
    """The keys that lead to the problem; the validator's also name the kind of what it went through."""
    place = document
    for part in problem["loc"]:
        if _is_kind(part, place):
            continue
        yield str(part)
        if isinstance(place, Mapping):
            place = place.get(part)
        elif isinstance(place, list) and isinstance(part, int):
            place = place[part]
    if problem["type"] in ("union_tag_invalid", "union_tag_not_found"):
        yield problem["ctx"]["discriminator"].strip("'")


def _is_kind(part: str | int, place: Any) -> bool:
    """Whether a part of the validator's path is no key: it says which of several things the place was taken for, as
    `constrained-int` does."""
    if isinstance(place, list):
        return not isinstance(part, int)
    if isinstance(place, str | int | float):
        return True
    tagged = isinstance(place, Mapping) and part in map(place.get, DISCRIMINATORS)
    known = isinstance(place, Mapping) and part in place
    return not known and (tagged or not str(part).isidentifier())
