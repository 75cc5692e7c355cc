"""Conditions and orders as SQL: all values are bound parameters, all columns come from a fixed list."""

from operator import eq, ge, gt, le, lt, ne
from typing import assert_never

from sqlalchemy import ColumnElement, and_, func, not_, or_

from db.columns import Column, Columns, Kind
from db.where import And, Comparison, Expression, Membership, Not, Operator, Or, Value
from paretofarm.errors import ConfigError

_COMPARE = {
    Operator.EQUAL: eq,
    Operator.UNEQUAL: ne,
    Operator.LESS: lt,
    Operator.AT_MOST: le,
    Operator.GREATER: gt,
    Operator.AT_LEAST: ge,
}


def condition(tree: Expression, columns: Columns) -> ColumnElement[bool]:
    """The tree as SQL for WHERE. ConfigError for unknown columns and values of other kinds."""
    return _condition(tree, columns, negated=False)


def _condition(tree: Expression, columns: Columns, *, negated: bool) -> ColumnElement[bool]:
    """negated: under a `not`, where what is null elsewhere must be false. Elsewhere that would hide it from indexes."""
    match tree:
        case Comparison():
            return _comparison(tree, columns, negated=negated)
        case Membership(column, values, position):
            equal = (Comparison(column, Operator.EQUAL, value, position) for value in values)
            return or_(*(_comparison(each, columns, negated=negated) for each in equal))
        case Not(part):
            return not_(_condition(part, columns, negated=True))
        case And(parts):
            return and_(*(_condition(part, columns, negated=negated) for part in parts))
        case Or(parts):
            return or_(*(_condition(part, columns, negated=negated) for part in parts))
        case _:
            assert_never(tree)


def order(sort: str, columns: Columns) -> ColumnElement[object]:
    """`miou` ascending, `-miou` descending; candidates without a value come last."""
    name = sort.removeprefix("-")
    expression = columns[name].expression
    return (expression.desc() if sort.startswith("-") else expression.asc()).nulls_last()


def _comparison(comparison: Comparison, columns: Columns, *, negated: bool) -> ColumnElement[bool]:
    column = columns[comparison.column]
    _check(comparison, column)
    if comparison.value is None:
        is_null = column.expression.is_(None)
        return is_null if comparison.operator is Operator.EQUAL else not_(is_null)
    compared: ColumnElement[bool] = _COMPARE[comparison.operator](column.expression, comparison.value)
    return func.coalesce(compared, False) if negated else compared


def _check(comparison: Comparison, column: Column) -> None:
    value, place = comparison.value, f"at position {comparison.position}: {column.name}"
    if comparison.operator.orders and (value is None or column.kind is not Kind.NUMBER):
        raise ConfigError(f"{place} {comparison.operator} …: only numbers have an order")
    if value is not None and _kind(value) is not column.kind:
        raise ConfigError(f"{place} is compared with {value!r}: expected {column.kind}")
    if column.values and value is not None and value not in column.values:
        raise ConfigError(f"{place} is never {value!r}, but one of {', '.join(column.values)}")


def _kind(value: Value) -> Kind:
    if isinstance(value, bool):
        return Kind.BOOLEAN
    return Kind.TEXT if isinstance(value, str) else Kind.NUMBER
