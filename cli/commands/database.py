"""`paretofarm db`: migrations, and psql."""

import os

import click

from cli.connection import database_url, open_database
from cli.psql import run_psql
from db import migrate


@click.group()
def database() -> None:
    """Migrate the database, or open psql on it."""


@database.command()
def upgrade() -> None:
    """Bring the database's tables up to this version.

    Needed with a server of your own (PARETOFARM_DATABASE_URL), after each installation of a new version. The embedded
    database is migrated by itself. Nothing is lost; doing it twice does nothing.
    """
    with database_url(os.environ) as url:
        before = migrate.current(url)
        migrate.upgrade(url)
        after = migrate.current(url)
    click.echo(f"up to date ({after})" if before == after else f"migrated from {before or 'nothing'} to {after}")


@database.command(context_settings={"ignore_unknown_options": True})
@click.argument("psql_options", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def shell(ctx: click.Context, psql_options: tuple[str, ...]) -> None:
    """Open psql on the database; what follows is handed to psql.

    Views to begin with: candidate_metrics (one wide row per candidate) and pareto_front.

    \b
    Examples:
      paretofarm db shell
      paretofarm db shell -c "select * from pareto_front where search = 'faces-demo'"
    """
    with open_database(os.environ) as opened:
        url = opened.url.render_as_string(hide_password=False)
        code = run_psql(url, os.environ, psql_options)
    ctx.exit(code)
