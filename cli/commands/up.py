"""`paretofarm up`: everything on this machine."""

import os

import click

from cli.local_farm import run_farm
from cli.stack_processes import Crew


@click.command()
@click.option(
    "--phones",
    type=click.IntRange(0, 64),
    default=2,
    show_default=True,
    metavar="N",
    help="Virtual phones; 0 for none.",
)
@click.option(
    "--workers",
    type=click.IntRange(0, 1024),
    default=None,
    metavar="N",
    help="Trainings, builds and compilations at a time.  [default: number of processors]",
)
def up(phones: int, workers: int | None) -> None:
    """Run everything on this machine; Ctrl-C stops it.

    Postgres, broker, scheduler, worker, virtual phones and their agents, each started again when it dies. Data and
    logs are in PARETOFARM_DATA (./.paretofarm); the next start goes on where this one ended. With
    PARETOFARM_DATABASE_URL and PARETOFARM_BROKER_URL set, those servers are used and none are started.

    \b
    Examples:
      paretofarm up
      paretofarm up --phones 0          then: paretofarm agent --connect PHONE:5555
    """
    run_farm(os.environ, Crew(workers=os.cpu_count() or 1 if workers is None else workers, phones=phones))
