import json

import pytest

from paretofarm.architecture import Architecture
from paretofarm.errors import ArchitectureError

EXAMPLE = Architecture(
    "hourglass", {"stem_stride": 2, "down1.expansion": 1.2, "bias": True, "op": "conv3x3", "naïve": "é"}
)


def test_the_canonical_json_never_changes() -> None:
    assert EXAMPLE.canonical_json == (
        '{"choices":{"bias":true,"down1.expansion":1.2,"na\\u00efve":"\\u00e9","op":"conv3x3","stem_stride":2},'
        '"space":"hourglass"}'
    )


def test_the_digest_never_changes() -> None:
    assert EXAMPLE.digest == "e27e72d29d139435beb48fac94688e7fc598d2e6a602d0752a1362dd3c3a2b3a"


def test_the_digest_does_not_depend_on_the_order_of_the_choices() -> None:
    reordered = Architecture("hourglass", dict(reversed(EXAMPLE.choices.items())))
    assert reordered.digest == EXAMPLE.digest
    assert reordered == EXAMPLE
    assert hash(reordered) == hash(EXAMPLE)


def test_a_float_without_a_fraction_is_the_int() -> None:
    architecture = Architecture("s", {"a": 2.0, "b": -0.0})
    assert architecture.canonical_json == '{"choices":{"a":2,"b":0},"space":"s"}'
    assert architecture == Architecture("s", {"a": 2, "b": 0})


def test_true_is_not_one() -> None:
    assert Architecture("s", {"a": True}) != Architecture("s", {"a": 1})


def test_the_space_is_part_of_the_identity() -> None:
    assert Architecture("s", {"a": 1}) != Architecture("t", {"a": 1})


def test_it_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        EXAMPLE.choices["op"] = "conv5x5"  # type: ignore[index]


def test_it_keeps_its_own_copy() -> None:
    choices = {"a": 1}
    architecture = Architecture("s", choices)
    choices["a"] = 2
    assert architecture.choices == {"a": 1}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, [1], {"a": 1}])
def test_what_json_cannot_hold_faithfully_is_refused(value: object) -> None:
    with pytest.raises(ArchitectureError, match="a = "):
        Architecture("s", {"a": value})  # type: ignore[dict-item]


def test_dict_round_trip() -> None:
    assert Architecture.from_dict(json.loads(json.dumps(EXAMPLE.to_dict()))) == EXAMPLE


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"space": "s"},
        {"space": "s", "choices": {}, "more": 1},
        {"space": 1, "choices": {}},
        {"space": "s", "choices": []},
        {"space": "s", "choices": {1: 2}},
        {"space": "s", "choices": {"a": None}},
    ],
)
def test_anything_else_is_refused(document: object) -> None:
    with pytest.raises(ArchitectureError):
        Architecture.from_dict(document)
