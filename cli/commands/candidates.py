"""`paretofarm candidates`."""

import os

import click

from cli.commands.options import DEVICE, SEARCH, check_one_format, json_or_csv
from cli.connection import open_database
from cli.tables import print_results
from cli.words import count_text
from db import experiments, reported
from db.documents.results import csv_text, document
from db.reported import choose_device, objectives_on


@click.command()
@SEARCH
@click.option("--where", default=None, metavar="EXPRESSION", help='A condition, e.g. "latency_ms<4 and miou>0.6".')
@click.option("--sort", default=None, metavar="METRIC", help="Ascending by a metric; --sort=-METRIC for descending.")
@click.option("--limit", type=click.IntRange(1, 2**31 - 1), default=None, metavar="N", help="At most so many.")
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

    SEARCH is a name or an id. A condition compares columns with = != < <= > >= or in (…), joined by and, or, not and
    brackets; texts are quoted. Columns: all metrics (latency_ms in milliseconds, miou from 0 to 1, parameters, macs …;
    latency_ms@CLASS for another device class), latency_low_ms, latency_high_ms, id, number, status, reason, origin,
    digest, simulated, noisy. A candidate that has no such value (yet) does not meet the condition.

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
        results = reported.candidates(session, stored, device=chosen, where=where, sort=sort, limit=limit)
    if as_json:
        click.echo(document(stored.name, chosen, results))
    elif as_csv:
        click.echo(csv_text(results), nl=False)
    else:
        simulated = " (simulated phone)" if any(result.simulated for result in results) else ""
        on = f", latency on {chosen}{simulated}" if chosen else ""
        title = f"{stored.name}: {count_text(len(results), 'candidate')}{on}"
        objectives = [objective.name for objective in objectives_on(stored.experiment, chosen)]
        print_results(results, title=title, objectives=objectives, with_status=True)
