"""`paretofarm front`."""

import os
from pathlib import Path

import click

from cli.commands.options import DEVICE, PLOT, SEARCH, check_one_format, json_or_csv
from cli.connection import open_database
from cli.front_report import read_front, write_front
from cli.searches import check_picture_path


@click.command()
@SEARCH
@DEVICE
@json_or_csv
@PLOT
def front(search: str, device: str | None, as_json: bool, as_csv: bool, plot: Path | None) -> None:
    """Print the Pareto front of a search.

    SEARCH is a name or an id. Members are complete candidates that keep all constraints and that no other one beats
    in every objective, ordered by the first cost. Latencies are in milliseconds with 95 % confidence intervals.

    \b
    Examples:
      paretofarm front faces-demo
      paretofarm front faces-demo --json | jq '.candidates[].metrics'
      paretofarm front faces-demo --plot front.png
    """
    check_one_format(as_json, as_csv)
    if plot:
        check_picture_path(plot)
    with open_database(os.environ) as database:
        report = read_front(database, search, device, with_picture=plot is not None)
    write_front(report, as_json=as_json, as_csv=as_csv, plot=plot)
