"""Tables on narrow terminals: nothing is ever cut off, less important columns go first."""

import pytest
from rich import box
from rich.console import Console
from rich.table import Table

from cli.fitting import fit, needed_width, rows

ROW = ("12", "0.215 (0.211–0.231)", "0.6123", "mutation", "train@0: OutOfMemory: 4 GiB are not enough for this network")


def make_table() -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="faces")
    for name in ("id", "latency_ms", "miou", "origin"):
        table.add_column(name)
    table.add_column("reason", overflow="fold")
    table.add_row(*ROW)
    return table


def drawn(table: Table, width: int) -> str:
    console = Console(width=width, markup=False, highlight=False)
    return "\n".join("".join(segment.text for segment in line) for line in console.render_lines(table))


def headers(table: Table | None) -> list[str]:
    return [] if table is None else [str(column.header) for column in table.columns]


def test_a_wide_terminal_shows_everything() -> None:
    table, left_out = fit(make_table(), 120, ["origin", "reason"])
    assert (headers(table), left_out) == (["id", "latency_ms", "miou", "origin", "reason"], ())


def test_less_important_columns_go_in_order() -> None:
    assert fit(make_table(), 70, ["origin", "reason"])[1] == ("origin",)
    table, left_out = fit(make_table(), 40, ["origin", "reason"])
    assert (headers(table), left_out) == (["id", "latency_ms", "miou"], ("origin", "reason"))


def test_where_even_the_rest_has_no_room_there_is_no_table() -> None:
    assert fit(make_table(), 30, ["origin", "reason"])[0] is None
    assert list(rows(make_table())) == [dict(zip(("id", "latency_ms", "miou", "origin", "reason"), ROW, strict=True))]


@pytest.mark.parametrize("width", range(30, 121, 3))
def test_what_is_drawn_is_never_cut_off(width: int) -> None:
    table, _ = fit(make_table(), width, ["origin", "reason"])
    if table is not None:
        text = drawn(table, width)
        assert "…" not in text
        assert "0.215 (0.211–0.231)" in text
        assert max(len(line.rstrip()) for line in text.splitlines()) <= width


def test_the_width_that_is_needed_is_enough_and_no_more() -> None:
    table, _ = fit(make_table(), 40, ["origin", "reason"])
    assert table is not None
    assert "…" not in drawn(table, needed_width(table))
