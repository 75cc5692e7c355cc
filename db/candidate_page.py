"""Candidates of a search page by page, in any order, each page as quick as the first: by key, not by offset.

Candidates that have ended are read from `points`, by its indexes; the few in flight from `candidates`. Both are merged.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from sqlalchemy import ColumnElement, Select, and_, literal, select, tuple_
from sqlalchemy.orm import Session

from db import where_sql
from db.candidates import UNFINISHED
from db.columns import Columns, Kind, PointColumns, noisy, simulated
from db.experiments import StoredExperiment
from db.reported import ReportedCandidate, choose_device, reported
from db.tables import CandidateRow, PointRow
from db.where import Expression, parse
from paretofarm.errors import ConfigError

BY_NUMBER = "number"
LARGEST_PAGE = 10_000
Key = float | str | bool | None


@dataclass(frozen=True)
class PageRequest:
    """where: see db/where.py; sort: a column, `-column` for the greatest first; after: the cursor of another page."""

    device: str | None = None
    where: str | None = None
    sort: str | None = None
    limit: int = 100
    after: str | None = None


@dataclass(frozen=True)
class Page:
    """rows: candidates as listed, each with its row. next: the cursor of the page after this one, None after the last.

    device: the class that plain metric names are about.
    """

    device: str | None
    rows: tuple[tuple[ReportedCandidate, CandidateRow], ...]
    next: str | None

    @property
    def candidates(self) -> tuple[ReportedCandidate, ...]:
        return tuple(candidate for candidate, _ in self.rows)


class _Cursor(BaseModel):
    """Where a page ended. In the text that users get: base64 of JSON, to be handed back as it is."""

    model_config = ConfigDict(extra="forbid", strict=True)
    sort: str = Field(max_length=200)
    key: float | str | bool | None
    number: int = Field(ge=0, lt=2**63)

    @field_validator("key")
    @classmethod
    def _storable(cls, key: Key) -> Key:
        if isinstance(key, str) and "\0" in key:
            raise ValueError("no text in the database has that character")
        return key


@dataclass(frozen=True)
class _Order:
    name: str
    descending: bool

    @classmethod
    def parse(cls, sort: str | None) -> "_Order":
        text = sort or BY_NUMBER
        return cls(text.removeprefix("-"), text.startswith("-"))

    def rank(self, key: Key, number: int) -> tuple[bool, Any, int]:
        """Sorts as the database does; those without a value come last, whatever the direction."""
        if key is None:
            return (not self.descending, 0, number)
        return (self.descending, key, number)


def page(session: Session, search: StoredExperiment, request: PageRequest) -> Page:
    """ConfigError for an unknown device class or column, a condition or a cursor that cannot be understood."""
    device = choose_device(search.experiment, request.device)
    order = _Order.parse(request.sort)
    tree = None if request.where is None else parse(request.where)
    after = None if request.after is None else _read_cursor(request.after, order)
    if not 1 <= request.limit <= LARGEST_PAGE:
        raise ConfigError(f"limit is {request.limit}, must be from 1 to {LARGEST_PAGE}")
    wanted = request.limit + 1
    found: list[Any] = []
    for source in (_Ended(search, device), _InFlight(search, device)):
        found += source.read(session, order, tree, after, wanted)
    found.sort(key=lambda row: order.rank(row.key, row.number), reverse=order.descending)
    shown = found[: request.limit]
    rows = tuple((reported(row.CandidateRow, row.simulated, row.noisy, device), row.CandidateRow) for row in shown)
    return Page(device, rows, _write_cursor(order, shown[-1]) if len(found) > len(shown) else None)


class _Source:
    """One of the two places to read from. `columns` speak of the tables of `base`; `number` is the tie-breaker."""

    columns: Columns
    base: Select[Any]
    number: ColumnElement[Any]

    def read(
        self, session: Session, order: _Order, tree: Expression | None, cursor: _Cursor | None, limit: int
    ) -> Sequence[Any]:
        column = self.columns[order.name]
        key = column.expression
        if column.kind is Kind.TEXT:  # as Python orders them, which merges the two sources
            key = key.collate("C")
        query = self.base.add_columns(key.label("key"), self.number.label("number"))
        if tree is not None:
            query = query.where(where_sql.condition(tree, self.columns))
        if cursor is not None and cursor.key is not None:
            _check_kind(column.kind, cursor.key)
        found: list[Any] = []
        if cursor is None or cursor.key is not None:
            valued = query.where(key.is_not(None))
            if cursor is not None:
                valued = valued.where(self._follows(cursor, order, key))
            found += session.execute(self._ordered(valued, order, key).limit(limit)).all()
        if len(found) < limit and order.name != BY_NUMBER:
            rest = query.where(key.is_(None))
            if cursor is not None and cursor.key is None:
                rest = rest.where(self.number < cursor.number if order.descending else self.number > cursor.number)
            found += session.execute(self._ordered(rest, order).limit(limit - len(found))).all()
        return found

    def _follows(self, cursor: _Cursor, order: _Order, key: ColumnElement[Any]) -> ColumnElement[bool]:
        """By number it is an integer that is compared: with a fraction Postgres would read the index from its start."""
        if order.name == BY_NUMBER:
            place, last = self.number, literal(cursor.number)
            return place < last if order.descending else place > last
        places, lasts = tuple_(key, self.number), tuple_(literal(cursor.key), literal(cursor.number))
        return places < lasts if order.descending else places > lasts

    def _ordered(self, query: Select[Any], order: _Order, *keys: ColumnElement[Any]) -> Select[Any]:
        by = dict.fromkeys((*keys, self.number))
        return query.order_by(*(key.desc() if order.descending else key.asc() for key in by))


class _Ended(_Source):
    def __init__(self, search: StoredExperiment, device: str | None) -> None:
        self.columns = PointColumns(device, search.experiment.devices, joined=True)
        flags = (PointRow.simulated.label("simulated"), PointRow.noisy.label("noisy"))
        query = select(CandidateRow, *flags).select_from(PointRow)
        query = query.join(CandidateRow, CandidateRow.id == PointRow.candidate_id)
        self.base = query.where(PointRow.experiment_id == search.id, PointRow.device == (device or ""))
        self.number = PointRow.number.expression


class _InFlight(_Source):
    def __init__(self, search: StoredExperiment, device: str | None) -> None:
        self.columns = Columns(device, search.experiment.devices)
        query = select(CandidateRow, simulated(device).label("simulated"), noisy(device).label("noisy"))
        mine = and_(CandidateRow.experiment_id == search.id, CandidateRow.status.in_(UNFINISHED))
        self.base = query.where(mine)
        self.number = CandidateRow.number.expression


def _check_kind(kind: Kind, key: Key) -> None:
    expected: dict[Kind, type] = {Kind.NUMBER: float, Kind.TEXT: str, Kind.BOOLEAN: bool}
    if not isinstance(key, expected[kind]):
        raise ConfigError("after: the cursor belongs to another order")


def _read_cursor(text: str, order: _Order) -> _Cursor:
    try:
        padded = text + "=" * (-len(text) % 4)
        cursor = _Cursor.model_validate_json(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValidationError, binascii.Error, ValueError) as error:
        raise ConfigError("after: that is no cursor: take `next` of the page before") from error
    if cursor.sort != _sort_text(order):
        raise ConfigError(f"after: the cursor belongs to the order {cursor.sort!r}")
    return cursor


def cursor(*, sort: str, key: Key, number: int) -> str:
    """What follows the candidate of that number, whose value in the sorted column is `key`."""
    found = _Cursor(sort=sort, key=key, number=number)
    return base64.urlsafe_b64encode(found.model_dump_json().encode()).decode().rstrip("=")


def _write_cursor(order: _Order, row: Any) -> str:
    key = float(row.key) if isinstance(row.key, int) and not isinstance(row.key, bool) else row.key
    return cursor(sort=_sort_text(order), key=key, number=row.number)


def _sort_text(order: _Order) -> str:
    return f"-{order.name}" if order.descending else order.name
