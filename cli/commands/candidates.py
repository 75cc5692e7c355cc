"""`paretofarm candidates`."""

import os

import click

from cli.commands.options import DEVICE, SEARCH, check_one_format, json_or_csv
from cli.connection import open_database
from cli.devices import choose_device, objectives_on
from cli.results import candidate_results
from cli.tables import csv_text, document, print_results
from db import experiments


@click.command()
@SEARCH
@click.option("--where", default=None, metavar="EXPRESSION", help='A condition, e.g. "latency_ms<4 and miou>0.6".')
@click.option("--sort", default=None, metavar="METRIC", help="Ascending by a metric; --sort=-METRIC for descending.")
@click.option("--limit", type=click.IntRange(0), default=None, metavar="N", help="At most so many.")
@DEVICE
@json_or_csv
def candidates(
    search: str,
    where: str | None,
    sort: str | None,
    limit: int | None,
    device: str | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """List the candidates of a search, whatever became of them.

    SEARCH is a name or an id. A condition compares metrics (latency_ms in milliseconds, miou from 0 to 1, parameters,
    macs …), id, number, status, origin and simulated with = != < <= > >=, joined by and, or, not and brackets. A
    candidate that has no such metric (yet) does not meet it.

    \b
    Examples:
      paretofarm candidates faces-demo --sort=-miou --limit 10
      paretofarm candidates faces-demo --where "status = 'failed'"
      paretofarm candidates faces-demo --where "latency_ms<4 and miou>0.6" --csv > good.csv
    """
    check_one_format(as_json, as_csv)
    with open_database(os.environ) as database, database.transaction() as session:
        stored = experiments.find(session, search)
        chosen = choose_device(stored.experiment, device)
        results = candidate_results(session, stored, chosen, where=where, sort=sort, limit=limit)
    if as_json:
        click.echo(document(stored.name, chosen, results))
    elif as_csv:
        click.echo(csv_text(results), nl=False)
    else:
        title = f"{stored.name}: {len(results)} candidates" + (f", latency on {chosen}" if chosen else "")
        objectives = [objective.name for objective in objectives_on(stored.experiment, chosen)]
        print_results(results, title=title, objectives=objectives, with_status=True)
