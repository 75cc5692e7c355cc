"""Conditions on real Postgres: whatever the text, it selects what it says or is refused with one clear line."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import pytest
from factories import make_architecture, make_proposal, store_experiment
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from db import candidates, reports
from db.columns import Columns, Kind
from db.experiments import StoredExperiment
from db.session import Database
from db.tables import CandidateRow
from db.where import And, Comparison, Expression, Membership, Not, Operator, Or, Value, parse
from paretofarm.errors import ConfigError
from paretofarm.lifecycle import CandidateStatus

METRICS: list[dict[str, float]] = [
    {},
    {"parameters": 10, "miou": 0.5, "latency_ms@virtual": 3.0},
    {"parameters": 20, "miou": 0.5, "latency_ms@virtual": 4.0, "latency_ms@other": 9.0},
    {"parameters": 20, "miou": 0.7, "latency_ms@other": 1.0},
    {"miou": 0.0, "f1": 1.0},
]
DEVICES = [{"name": "latency_ms", "goal": "minimize", "device": device} for device in ("virtual", "other")]


@dataclass(frozen=True)
class Filled:
    """A search with five candidates and their columns as plain values."""

    database: Database
    search: StoredExperiment
    rows: dict[int, Mapping[str, Value]]

    def select(self, where: str) -> list[int]:
        with self.database.transaction() as session:
            return [row.number for row in reports.candidates(session, self.search, where=where)]


@pytest.fixture
def filled(database: Database) -> Iterator[Filled]:
    statuses = [*CandidateStatus]
    with database.transaction() as session:
        search = store_experiment(session, objectives=DEVICES)
        for number, metrics in enumerate(METRICS):
            [candidate_id] = candidates.propose(session, search.id, [make_proposal(make_architecture(n=number))])
            row = session.get_one(CandidateRow, candidate_id)
            row.metrics, row.status = metrics, statuses[number]
            row.reason = 'it\'s "bad"; -- \\ %s :x' if number == 4 else None
            row.intervals = {"latency_ms@virtual": [2.5, 3.5]} if number == 1 else {}
    with database.transaction() as session:
        rows = {row.number: as_values(row) for row in session.scalars(select(CandidateRow))}
    yield Filled(database, search, rows)
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM candidates")) == len(METRICS)


def as_values(row: CandidateRow) -> dict[str, Value]:
    values: dict[str, Value] = {"id": float(row.id), "number": float(row.number), "simulated": False, "noisy": False}
    values |= {"status": row.status.value, "reason": row.reason, "origin": row.origin, "digest": row.digest}
    values |= {key.removesuffix("@virtual"): value for key, value in row.metrics.items()}
    values |= row.metrics
    if row.intervals:
        values |= {"latency_low_ms": 2.5, "latency_high_ms": 3.5}
    return values


COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: eq,
    Operator.UNEQUAL: ne,
    Operator.LESS: lt,
    Operator.AT_MOST: le,
    Operator.GREATER: gt,
    Operator.AT_LEAST: ge,
}


def holds(tree: Expression, row: Mapping[str, Value]) -> bool:
    """The meaning of a condition, in Python."""
    match tree:
        case Comparison(column, operator, None):
            return (row.get(column) is None) == (operator is Operator.EQUAL)
        case Comparison(column, operator, value):
            return row.get(column) is not None and COMPARE[operator](row[column], value)
        case Membership(column, values):
            return any(holds(Comparison(column, Operator.EQUAL, value, 1), row) for value in values)
        case Not(part):
            return not holds(part, row)
        case And(parts):
            return all(holds(part, row) for part in parts)
        case Or(parts):
            return any(holds(part, row) for part in parts)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("latency_ms<4", [1]),
        ("latency_ms<4 or latency_ms@other<4", [1, 3]),
        ("latency_ms = null", [0, 3, 4]),
        ("not latency_ms < 4", [0, 2, 3, 4]),
        ("miou>=0.5 and parameters in (20, 30)", [2, 3]),
        ("latency_low_ms < 2.6", [1]),
        ("status in ('proposed', 'infeasible')", [0, 4]),
        ("reason = 'it''s \"bad\"; -- \\ %s :x'", [4]),
        ("simulated = true", []),
        ("digest != 'x' and number > 2", [3, 4]),
        ("id < 1e300", [0, 1, 2, 3, 4]),
    ],
)
def test_conditions_select_what_they_say(filled: Filled, where: str, expected: list[int]) -> None:
    assert filled.select(where) == expected
    assert [number for number, row in sorted(filled.rows.items()) if holds(parse(where), row)] == expected


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("latency < 4", "unknown column 'latency', did you mean latency_ms?"),
        ("zzz = 1", "unknown column 'zzz'; known are id, number, status"),
        ("latency_ms@sm8550 < 4", "the search knows no device class 'sm8550'; it has virtual, other"),
        ("miou@virtual > 1", "miou is the same on every device; write just miou"),
        ("status = 3", "position 1: status is compared with 3.0: expected quoted text"),
        ("miou = 'x'", "position 1: miou is compared with 'x': expected number"),
        ("simulated = 1", "expected true or false"),
        ("status < 'x'", "only numbers have an order"),
        ("miou < null", "only numbers have an order"),
    ],
)
def test_mistakes_are_named(filled: Filled, where: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        filled.select(where)
    assert said in caught.value.message


NAMES = Columns("virtual", ("virtual", "other")).names
NUMBERS = st.one_of(st.integers(-50, 50).map(str), st.floats(-1, 10).map(repr), st.sampled_from(["0.5", "3", "1e-3"]))
TEXTS = st.one_of(st.sampled_from([*CandidateStatus]).map(lambda status: status.value), st.text(max_size=8)).map(
    lambda value: "'" + value.replace("'", "''") + "'"
)
VALUES = st.one_of(NUMBERS, TEXTS, st.sampled_from(["true", "false", "null"]))
COLUMNS = st.sampled_from([*NAMES, "latency_ms@other", "latency_ms@virtual", "nonsense", "miou@virtual"])
OPERATORS = st.sampled_from(["=", "==", "!=", "<>", "<", "<=", ">", ">="])
COMPARISONS = st.one_of(
    st.tuples(COLUMNS, OPERATORS, VALUES).map(" ".join),
    st.tuples(st.sampled_from(["miou", "latency_ms", "parameters", "f1", "number"]), OPERATORS, NUMBERS).map("".join),
    st.tuples(COLUMNS, st.lists(VALUES, min_size=1, max_size=3)).map(
        lambda pair: f"{pair[0]} in ({', '.join(pair[1])})"
    ),
)
CONDITIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        inner.map(lambda part: f"not ({part})"),
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map("".join),
        inner.map(lambda part: f"({part})"),
    ),
    max_leaves=6,
)
WORDS = ["miou", "and", "or", "not", "in", "null", "0.5", "1e999", "latency_ms@virtual", "drop table candidates"]
MARKS = ["=", "'", '"', "''", "(", ")", ",", "--", "/*", ";", "\\", "%s", "%(x)s", ":x", "$1", "@", "::int"]
UNUSUAL = ["é", "\0", "\ud800", "\n"]
SPLINTERS = st.sampled_from([*WORDS, *MARKS, *UNUSUAL])
ANYTHING = st.one_of(st.text(max_size=60), st.lists(SPLINTERS, max_size=12).map(" ".join), CONDITIONS)
ON_ONE_DATABASE = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@ON_ONE_DATABASE
@given(where=ANYTHING)
def test_any_text_selects_or_is_refused(filled: Filled, where: str) -> None:
    try:
        selected = filled.select(where)
    except ConfigError as error:
        assert "\n" not in error.message or "\n" in where
        return
    tree = parse(where)
    assert selected == [number for number, row in sorted(filled.rows.items()) if holds(tree, row)]


@ON_ONE_DATABASE
@given(sort=st.one_of(st.text(max_size=30), st.sampled_from(["miou", "-latency_ms", "--miou", "-", "number;"])))
def test_any_order_sorts_or_is_refused(filled: Filled, sort: str) -> None:
    with filled.database.transaction() as session:
        try:
            found = reports.candidates(session, filled.search, sort=sort)
        except ConfigError:
            return
        assert len(found) == len(METRICS)


def test_greatest_first_and_missing_last(filled: Filled) -> None:
    with filled.database.transaction() as session:
        found = reports.candidates(session, filled.search, sort="-miou", limit=4)
        assert [row.number for row in found] == [3, 1, 2, 4]
        assert [row.number for row in reports.candidates(session, filled.search, sort="latency_ms")][:2] == [1, 2]
        with pytest.raises(ConfigError, match="limit is 0"):
            reports.candidates(session, filled.search, limit=0)


def test_device_class_decides_what_plain_names_mean(filled: Filled) -> None:
    with filled.database.transaction() as session:
        found = reports.candidates(session, filled.search, device="other", where="latency_ms < 5")
        assert [(row.number, row.metrics) for row in found] == [(3, {"parameters": 20, "latency_ms": 1.0, "miou": 0.7})]
        with pytest.raises(ConfigError, match="no device class 'sm8550'; it has virtual, other"):
            reports.candidates(session, filled.search, device="sm8550")


def test_every_kind_of_column_is_covered() -> None:
    columns = Columns("virtual", ("virtual",))
    assert {columns[name].kind for name in columns.names} == set(Kind)
