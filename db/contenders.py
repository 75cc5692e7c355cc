"""Who may be on a front: a few thousand of a million candidates, found in one pass that the server can share out.

A sample's front is known at once. Whoever one of its members dominates cannot be on the whole front, and the database
leaves those out; the rest is decided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ARRAY, ColumnElement, Double, Select, and_, cast, func, literal, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import Grouping

from db.axes import Axis
from db.columns import PointColumns
from db.tables import PointRow
from paretofarm import pareto

SAMPLE = 10_000
"""The latest: a search gets better."""
RIVALS = 24
"""With three axes every candidate is compared with so many of the sample's front; two need no such limit."""


@dataclass(frozen=True)
class Contenders:
    """ids: of candidates; numbers: theirs. values, lows, highs: shape [candidates, axes], minimised: what a candidate
    is, and what it is at best and at worst."""

    ids: list[int]
    values: np.ndarray
    lows: np.ndarray
    highs: np.ndarray


@dataclass(frozen=True)
class _Expressions:
    """ends: lows, then highs, of the axes, minimised; none where intervals play no part."""

    values: Sequence[ColumnElement[float]]
    ends: Sequence[ColumnElement[float]]

    @property
    def lows(self) -> Sequence[ColumnElement[float]]:
        return self.ends[: len(self.values)] or self.values


def contenders(
    session: Session,
    axes: Sequence[Axis],
    columns: PointColumns,
    condition: ColumnElement[bool],
    *,
    with_intervals: bool = False,
) -> Contenders:
    """Candidates that meet the condition, have all axes, and may be on the front; some that are not too.

    with_intervals: on the front of what they may be; else lows and highs are the values.
    """
    expressions = _expressions(axes, columns, with_intervals=with_intervals)
    known = and_(*(columns[axis.name].expression.is_not(None) for axis in axes))
    query = select(PointRow.candidate_id, *expressions.values, *expressions.ends).where(condition, known)
    sample = _read(session, query.order_by(PointRow.number.desc()).limit(SAMPLE), len(axes))
    if len(sample.ids) < SAMPLE:
        return sample
    rivals = sample.highs[pareto.front(sample.highs)]
    return _read(session, query.where(_undominated(expressions.lows, rivals)), len(axes))


def _expressions(axes: Sequence[Axis], columns: PointColumns, *, with_intervals: bool) -> _Expressions:
    values = [columns[axis.name].expression * literal(axis.sign, Double) for axis in axes]
    if not with_intervals:
        return _Expressions(values, ())
    lows, highs = list(values), list(values)
    for place, axis in enumerate(axes):
        name, at, device = axis.name.partition("@")
        if name == "latency_ms":
            ends = (columns[f"latency_{end}_ms{at}{device}"].expression for end in ("low", "high"))
            reach = (values[place], *(end * literal(axis.sign, Double) for end in ends))
            lows[place], highs[place] = func.least(*reach), func.greatest(*reach)  # both pass over what is null
    return _Expressions(values, (*lows, *highs))


def _read(session: Session, query: Select[tuple[int, ...]], axes: int) -> Contenders:
    rows = session.execute(query).tuples().all()
    columns = len(query.selected_columns) - 1
    numbers = np.array([row[1:] for row in rows], dtype=np.float64).reshape(len(rows), columns)
    values = numbers[:, :axes]
    lows, highs = (numbers[:, axes : 2 * axes], numbers[:, 2 * axes :]) if columns > axes else (values, values)
    return Contenders([row[0] for row in rows], values, lows, highs)


def _undominated(point: Sequence[ColumnElement[float]], rivals: np.ndarray) -> ColumnElement[bool]:
    """SQL: no rival is better in all axes. Rivals: shape [rivals, axes], at least one."""
    if len(point) == 2:
        return _below_stairs(point[0], point[1], rivals)
    order = np.argsort(rivals[:, 0], kind="stable")
    chosen = rivals[order[np.unique(np.linspace(0, len(order) - 1, RIVALS).astype(int))]]
    return and_(*(or_(*(axis <= float(value) for axis, value in zip(point, rival, strict=True))) for rival in chosen))


def _below_stairs(x: ColumnElement[float], y: ColumnElement[float], rivals: np.ndarray) -> ColumnElement[bool]:
    """y is at most the lowest of the rivals that are not to the right of x."""
    ordered = rivals[np.lexsort((rivals[:, 1], rivals[:, 0]))]
    steps = cast(literal(ordered[:, 0].tolist(), ARRAY(Double)), ARRAY(Double))
    lows = np.concatenate(([np.inf], np.minimum.accumulate(ordered[:, 1]))).tolist()
    heights = Grouping(cast(literal(lows, ARRAY(Double)), ARRAY(Double)))  # Postgres wants brackets around it
    place = func.width_bucket(x, steps) + 1
    below: ColumnElement[bool] = y <= heights[place]
    return below
