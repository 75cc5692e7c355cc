"""The language of conditions: what is understood, and what is said about everything else."""

import pytest

from db.where import MAX_DEPTH, MAX_LENGTH, And, Comparison, Membership, Not, Operator, Or, parse
from paretofarm.errors import ConfigError


def less(column: str, value: float, position: int) -> Comparison:
    return Comparison(column, Operator.LESS, value, position)


def test_and_binds_tighter_than_or() -> None:
    assert parse("a<1 or b<2 and c<3") == Or((less("a", 1, 1), And((less("b", 2, 8), less("c", 3, 16)))))


def test_parentheses_and_not() -> None:
    assert parse("NOT (a<1 Or b<2) and c<3") == And((Not(Or((less("a", 1, 6), less("b", 2, 13)))), less("c", 3, 22)))


@pytest.mark.parametrize(
    ("text", "operator", "value"),
    [
        ("x = 1", Operator.EQUAL, 1.0),
        ("x==-1.5e3", Operator.EQUAL, -1500.0),
        ("x <> .5", Operator.UNEQUAL, 0.5),
        ("x!='it''s'", Operator.UNEQUAL, "it's"),
        ('x = "say ""hi"""', Operator.EQUAL, 'say "hi"'),
        ("x <= 5.", Operator.AT_MOST, 5.0),
        ("x>=+2", Operator.AT_LEAST, 2.0),
        ("x > 2", Operator.GREATER, 2.0),
        ("x = TRUE", Operator.EQUAL, True),
        ("x = null", Operator.EQUAL, None),
    ],
)
def test_comparisons(text: str, operator: Operator, value: object) -> None:
    assert parse(text) == Comparison("x", operator, value, 1)  # type: ignore[arg-type]


def test_membership() -> None:
    assert parse("status in ('failed', 'running')") == Membership("status", ("failed", "running"), 1)
    assert parse("id not in (1)") == Not(Membership("id", (1.0,), 1))


def test_device_class_belongs_to_the_name() -> None:
    assert parse("latency_ms@sm-8550.v2<4") == less("latency_ms@sm-8550.v2", 4, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "position 1: expected the name of a column, found the end"),
        ("miou", "position 5: expected a comparison after miou, found the end"),
        ("miou >", "position 7: expected a number, a quoted text, true, false or null, found the end"),
        ("miou > 0.5 latency_ms < 3", "position 12: expected `and`, `or` or the end, found latency_ms"),
        ("miou > (1)", "position 8: expected a number"),
        ("(miou > 1", "position 10: expected `)`, found the end"),
        ("miou > 1)", "position 9: expected `and`, `or` or the end, found )"),
        ("status = 'running", "position 10: cannot read"),
        ("miou > 1; drop table candidates", "position 9: cannot read '; drop table"),
        ("miou > 1.2.3", "position 8: cannot read '1.2.3'"),
        ("miou > 1e999", "position 8: 1e999 is too great a number"),
        ("status in ()", "position 12: expected a number"),
        ("status not 3", "position 12: expected `in`"),
        ("and", "position 1: expected the name of a column, found and"),
        ("reason = 'a\0b'", "position 10: a text holds a character"),
        ("reason = '\ud800'", "position 10: a text holds a character"),
        ("miou ≥ 1", "position 6: cannot read '≥ 1'"),
    ],
)
def test_mistakes_are_named_with_their_position(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert said in caught.value.message


def test_excess_is_refused() -> None:
    with pytest.raises(ConfigError, match=f"at most {MAX_LENGTH}"):
        parse("a=1 or " * 1000)
    with pytest.raises(ConfigError, match=f"more than {MAX_DEPTH} deep"):
        parse("(" * 500 + "a=1" + ")" * 500)
    with pytest.raises(ConfigError, match=f"more than {MAX_DEPTH} deep"):
        parse("not " * 400 + "a=1")
    assert parse("(" * (MAX_DEPTH - 1) + "a<1" + ")" * (MAX_DEPTH - 1)) == less("a", 1, MAX_DEPTH)
