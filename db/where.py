"""Conditions on candidates as users write them: `latency_ms<4 and (miou>0.6 or status = 'running')`.

    expression := term (`or` term)*            term := factor (`and` factor)*
    factor     := `not` factor | `(` expression `)` | column comparison
    comparison := (`=` `==` `!=` `<>` `<` `<=` `>` `>=`) value | [`not`] `in` `(` value (`,` value)* `)`
    value      := number | 'text' | "text" | true | false | null

Parsed into a tree of plain values; nothing of the text ever reaches SQL but as a bound parameter (db/where_sql.py).
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from paretofarm.errors import ConfigError

MAX_LENGTH = 2000
MAX_DEPTH = 50

Value = float | str | bool | None


class Operator(StrEnum):
    """How a column is compared."""

    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="

    @property
    def orders(self) -> bool:
        return self not in (Operator.EQUAL, Operator.UNEQUAL)


@dataclass(frozen=True)
class Comparison:
    """False where the column has no value, but `= null` then is true. position: of the column in the text, from 1."""

    column: str
    operator: Operator
    value: Value
    position: int


@dataclass(frozen=True)
class Membership:
    """The column equals one of the values."""

    column: str
    values: tuple[Value, ...]
    position: int


@dataclass(frozen=True)
class Not:
    """The opposite."""

    part: "Expression"


@dataclass(frozen=True)
class And:
    """All of them."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True)
class Or:
    """At least one of them."""

    parts: tuple["Expression", ...]


Expression = Comparison | Membership | Not | And | Or


def parse(text: str) -> Expression:
    """The tree of a condition. ConfigError says what is wrong, and where."""
    if len(text) > MAX_LENGTH:
        raise ConfigError(f"the condition has {len(text)} characters, at most {MAX_LENGTH} are allowed")
    return _Parser(text).parse()


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int


_TOKENS = re.compile(
    r"""\s*(?:
    (?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![A-Za-z0-9_.@])
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:@[A-Za-z0-9][A-Za-z0-9_.-]*)?)
    | (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
    | (?P<operator><=|>=|<>|!=|==|=|<|>)
    | (?P<mark>[(),])
    | (?P<end>\Z)
    )""",
    re.VERBOSE | re.ASCII,
)
_KEYWORDS = frozenset({"and", "or", "not", "in", "true", "false", "null"})
_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}
_SPELLINGS = {"==": Operator.EQUAL, "<>": Operator.UNEQUAL}


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while True:
        match = _TOKENS.match(text, place)
        if match is None:
            rest = text[place:].lstrip(" \t\r\n\f\v")
            raise _problem(f"cannot read {rest[:20]!r}", len(text) - len(rest) + 1)
        kind = match.lastgroup or "end"
        word, begin = match.group(kind), match.start(kind) + 1
        if kind == "name" and word.lower() in _KEYWORDS:
            kind, word = "keyword", word.lower()
        yield _Token(kind, word, begin)
        if kind == "end":
            return
        place = match.end()


class _Parser:
    """Recursive descent, one method per rule of the grammar above."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0

    def parse(self) -> Expression:
        tree = self._expression()
        if self._token.kind != "end":
            raise self._unexpected("`and`, `or` or the end")
        return tree

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _expression(self) -> Expression:
        parts = self._parts("or", self._term)
        return parts[0] if len(parts) == 1 else Or(parts)

    def _term(self) -> Expression:
        parts = self._parts("and", self._factor)
        return parts[0] if len(parts) == 1 else And(parts)

    def _parts(self, separator: str, rule: Callable[[], Expression]) -> tuple[Expression, ...]:
        parts = [rule()]
        while self._take("keyword", separator):
            parts.append(rule())
        return tuple(parts)

    def _factor(self) -> Expression:
        if self._depth >= MAX_DEPTH:
            raise _problem(f"nested more than {MAX_DEPTH} deep", self._token.position)
        self._depth += 1
        try:
            if self._take("keyword", "not"):
                return Not(self._factor())
            if self._take("mark", "("):
                tree = self._expression()
                self._expect("mark", ")")
                return tree
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Expression:
        column = self._token
        if column.kind != "name":
            raise self._unexpected("the name of a column")
        self._next += 1
        if self._take("keyword", "in"):
            return Membership(column.text, self._values(), column.position)
        if self._take("keyword", "not"):
            self._expect("keyword", "in")
            return Not(Membership(column.text, self._values(), column.position))
        operator = self._token
        if operator.kind != "operator":
            raise self._unexpected(f"a comparison after {column.text}")
        self._next += 1
        spelled = _SPELLINGS.get(operator.text) or Operator(operator.text)
        return Comparison(column.text, spelled, self._value(), column.position)

    def _values(self) -> tuple[Value, ...]:
        self._expect("mark", "(")
        values = [self._value()]
        while self._take("mark", ","):
            values.append(self._value())
        self._expect("mark", ")")
        return tuple(values)

    def _value(self) -> Value:
        token = self._token
        if token.kind == "keyword" and token.text in _CONSTANTS:
            value: Value = _CONSTANTS[token.text]
        elif token.kind == "number":
            value = _number(token)
        elif token.kind == "text":
            value = _text(token)
        else:
            raise self._unexpected("a number, a quoted text, true, false or null")
        self._next += 1
        return value

    def _take(self, kind: str, text: str) -> bool:
        found = (self._token.kind, self._token.text) == (kind, text)
        self._next += found
        return found

    def _expect(self, kind: str, text: str) -> None:
        if not self._take(kind, text):
            raise self._unexpected(f"`{text}`")

    def _unexpected(self, expected: str) -> ConfigError:
        found = self._token.text if self._token.kind != "end" else "the end"
        return _problem(f"expected {expected}, found {found[:40]}", self._token.position)


def _number(token: _Token) -> float:
    value = float(token.text)
    if not math.isfinite(value):
        raise _problem(f"{token.text[:20]} is too great a number", token.position)
    return value


def _text(token: _Token) -> str:
    quote = token.text[0]
    value = token.text[1:-1].replace(quote * 2, quote)
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise _problem("a text holds a character that no database can hold", token.position)
    return value


def _problem(problem: str, position: int) -> ConfigError:
    return ConfigError(f"the condition cannot be understood at position {position}: {problem}")
