"""Results as a table for people, as CSV for spreadsheets, as JSON for scripts."""

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from cli.failure import one_line
from cli.fitting import fit, rows
from cli.words import heading, interval_text
from db.reported import ReportedCandidate
from paretofarm.metrics import METRICS

CSV_METRICS = tuple(METRICS)
CSV_BOUNDS = ("latency_low_ms", "latency_high_ms")
USUAL = ("parameters", "macs", "f1")
"""What tables show beside the objectives; --json and --csv have everything."""
UNLIMITED = 100_000


def document(search: str, device: str | None, results: Iterable[ReportedCandidate]) -> str:
    """The JSON of `front --json` and `candidates --json`: what scripts rely on."""
    return json.dumps({"search": search, "device": device, "candidates": [_document(result) for result in results]})


def _document(result: ReportedCandidate) -> dict[str, Any]:
    return {
        "id": result.id,
        "digest": result.digest,
        "status": result.status.value,
        "metrics": {name: _plain(value) for name, value in result.metrics.items()},
        "intervals": {name: list(interval) for name, interval in result.intervals.items()},
        "simulated": result.simulated,
    }


def _plain(value: float) -> float | int:
    """Whole numbers without `.0`."""
    return int(value) if float(value).is_integer() else value


def csv_text(results: Iterable[ReportedCandidate]) -> str:
    """The same columns whatever the search; an unknown value is empty. `latency_ms` is the chosen device class's."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["id", "digest", "status", *CSV_METRICS, *CSV_BOUNDS, "simulated", "noisy", "origin", "reason"])
    for result in results:
        known = _document(result)["metrics"]
        writer.writerow(
            [
                result.id,
                result.digest,
                result.status.value,
                *(known.get(name, "") for name in CSV_METRICS),
                *result.intervals.get("latency_ms", ("", "")),
                str(result.simulated).lower(),
                str(result.noisy).lower(),
                result.origin,
                one_line(result.reason or ""),
            ]
        )
    return buffer.getvalue()


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
