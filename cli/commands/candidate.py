"""`paretofarm candidate`."""

import json
import os

import click

from cli.candidate_report import print_candidate
from cli.commands.options import JSON
from cli.connection import open_database
from db import reports
from db.documents.candidate import candidate_document


@click.command()
@click.argument("candidate_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@JSON
def candidate(candidate_id: int, as_json: bool) -> None:
    """Show everything that is known about one candidate.

    Where it comes from and what changed, its evaluations with attempts and reasons, measurements (milliseconds),
    learning curve, scores by class, artifacts. IDs are those of `paretofarm candidates` and of pictures.

    \b
    Examples:
      paretofarm candidate 12
      paretofarm candidate 12 --json | jq .architecture
    """
    with open_database(os.environ) as database, database.transaction() as session:
        detail = reports.candidate(session, candidate_id)
    if as_json:
        click.echo(json.dumps(candidate_document(detail)))
    else:
        print_candidate(detail)
