"""Results as a table for people; db/documents has them as CSV and JSON."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from cli.fitting import fit, rows
from cli.words import heading, interval_text
from db.reported import ReportedCandidate
from paretofarm.one_line import one_line

USUAL = ("parameters", "macs", "f1")
"""What tables show beside the objectives; --json and --csv have everything."""
UNLIMITED = 100_000


def print_results(
    results: Sequence[ReportedCandidate], *, title: str, objectives: Sequence[str], with_status: bool
) -> None:
    """A table on stdout, as wide as it needs to be where stdout is no terminal. Objectives by plain name, first."""
    names = [*objectives, *(name for name in USUAL if name not in objectives)]
    table = Table(box=box.SIMPLE_HEAD, title=one_line(title), title_justify="left", title_style="bold")
    table.add_column("id", justify="right")
    if with_status:
        table.add_column("status")
    for name in names:
        table.add_column(heading(name), justify="right")
    table.add_column("origin")
    reasons = with_status and any(result.reason for result in results)
    if reasons:
        table.add_column("reason", overflow="fold")
    for result in results:
        cells = [str(result.id), *([result.status.value] if with_status else [])]
        cells += [_cell(result, name) for name in names] + [result.origin]
        table.add_row(*cells, *([one_line(result.reason or "")] if reasons else []))
    usual = [heading(name) for name in reversed(USUAL) if name not in objectives]
    print_table(table, less_important=["origin", *usual, "reason", "status"])


def print_table(table: Table, *, less_important: Sequence[str] = ()) -> None:
    """On stdout. less_important: headers of columns in the order in which they go where a terminal is narrow."""
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else UNLIMITED, markup=False, highlight=False)
    if not console.is_terminal:
        for line in console.render_lines(table, pad=False):
            click.echo("".join(segment.text for segment in line).rstrip())
        return
    fitting, left_out = fit(table, console.width, less_important)
    if fitting is None:
        _print_rows(table)
    else:
        console.print(fitting)
        if left_out:
            click.echo(f"{console.width} columns are too narrow for: {', '.join(left_out)}", err=True)


def _print_rows(table: Table) -> None:
    """Each row as lines of its own."""
    if table.title:
        click.echo(click.style(str(table.title), bold=True))
    for facts in rows(table):
        (name, value), *others = facts.items()
        print_facts(dict(others), title=f"{name} {value}")


def print_facts(facts: Mapping[str, Any], *, title: str) -> None:
    """Names and values, one a line."""
    click.echo(click.style(one_line(title), bold=True))
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        click.echo(f"  {name:<{width}}  {one_line(str(value))}")


def _cell(result: ReportedCandidate, name: str) -> str:
    text = interval_text(name, result.metrics.get(name), result.intervals.get(name))
    return f"{text} (noisy)" if result.noisy and name == "latency_ms" else text
