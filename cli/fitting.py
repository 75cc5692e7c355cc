"""Makes a table fit a narrow terminal: first less important columns go, then every row becomes lines of its own."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.table import Column, Table

WRAPPED = 24
"""A column of long texts is no wider than this before others have to go."""


def fit(table: Table, width: int, less_important: Sequence[str] = ()) -> tuple[Table | None, tuple[str, ...]]:
    """The table with as many columns as have room, and the headers of those that were left out.

    less_important: headers in the order in which they may go; others never do. None where even the rest has no room.
    """
    left_out: list[str] = []
    candidates = [header for header in less_important if header in _headers(table)]
    while needed_width(table) > width and candidates:
        left_out.append(candidates.pop(0))
        table = _without(table, left_out[-1])
    return (table if needed_width(table) <= width else None), tuple(left_out)


def needed_width(table: Table) -> int:
    """Of a table without vertical lines: a space to the left and right of each column, one between and at the ends."""
    return sum(_width(column) for column in table.columns) + 3 * len(table.columns) + 1


def rows(table: Table) -> Iterator[dict[str, str]]:
    """What the table says, row by row; empty cells are left out."""
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        yield {header: str(cell) for header, cell in zip(_headers(table), cells, strict=True) if str(cell)}


def _headers(table: Table) -> list[str]:
    return [str(column.header) for column in table.columns]


def _width(column: Column) -> int:
    widest = max(cell_len(str(text)) for text in (column.header, *column.cells))
    return min(widest, WRAPPED) if column.overflow == "fold" else widest


def _without(table: Table, header: str) -> Table:
    kept = [column for column in table.columns if str(column.header) != header]
    rest = Table(box=table.box, title=table.title, title_justify=table.title_justify, title_style=table.title_style)
    for column in kept:
        rest.add_column(column.header, justify=column.justify, overflow=column.overflow)
    for cells in zip(*(column.cells for column in kept), strict=True):
        rest.add_row(*cells)
    return rest
