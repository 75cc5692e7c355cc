"""`paretofarm up`: everything on this machine."""

import os

import click

from cli.commands.options import DEFAULT_WORKERS
from cli.local_farm import run_farm
from cli.page_place import page_place
from cli.stack.remote import Address
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
    help="Trainings, builds and compilations at a time; 0 for none.  " + DEFAULT_WORKERS,
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Let other machines in: Postgres on this port, the broker on the next one. By default nobody else gets in.",
)
def up(phones: int, workers: int | None, listen: str | None) -> None:
    """Run everything on this machine; Ctrl-C stops it.

    Postgres, broker, scheduler, worker, virtual phones and their agents, and the web page, each started again when it
    dies. The page is open to everybody on this machine and to nobody else, on port 8080 where that is free (or
    PARETOFARM_DASHBOARD_PORT).

    Data and logs are in PARETOFARM_DATA (./.paretofarm); the next start goes on where this one ended. With
    PARETOFARM_DATABASE_URL and PARETOFARM_BROKER_URL set, those servers are used and none are started.

    --listen is for networks that you trust: a password is asked for, but nothing is encrypted. HOST is the address of
    this machine that the others connect to. What a worker or agent there needs is written to remote.env in the data
    folder, with the password; artifacts must be in a store that both machines reach (PARETOFARM_ARTIFACTS).

    \b
    Examples:
      paretofarm up
      paretofarm up --phones 0          then: paretofarm agent --connect PHONE:5555
      paretofarm up --listen 192.0.2.7:5433
    """
    crew = Crew(workers=workers, phones=phones, page=page_place(os.environ))
    run_farm(os.environ, crew, Address.parse(listen) if listen is not None else None)
