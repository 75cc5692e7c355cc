"""`paretofarm db`: migrations, and psql."""

import os
from pathlib import Path

import click

from cli.connection import database_url, open_database
from cli.logs import log_to_stderr, wants_json
from cli.psql import run_psql
from cli.secret_folder import SecretFolder
from db import migrate
from db.logins import LOGINS, keep_logins


@click.group()
def database() -> None:
    """Migrate the database, or open psql on it."""


@database.command()
def upgrade() -> None:
    """Bring the database's tables up to this version.

    Needed with a server of your own (PARETOFARM_DATABASE_URL), after each installation of a new version. The embedded
    database is migrated by itself. Nothing is lost; doing it twice does nothing.
    """
    if wants_json(os.environ):
        log_to_stderr()
    with database_url(os.environ) as url:
        before = migrate.current(url)
        migrate.upgrade(url)
        after = migrate.current(url)
    click.echo(f"up to date ({after})" if before == after else f"migrated from {before or 'nothing'} to {after}")


@database.command()
@click.option(
    "--from",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder with a file of the password per user: database-scheduler, database-worker …",
)
def logins(folder: Path) -> None:
    """Create the users that services log in as, or set their passwords anew.

    One per role: scheduler, worker, agent, reader; each may do what its role may and nothing else. Connect as a user
    who may create roles (PARETOFARM_DATABASE_URL). `paretofarm secrets init` makes the files.

    
    Example:
      paretofarm db logins --from secrets
    """
    passwords = SecretFolder(folder).logins(LOGINS)
    with database_url(os.environ) as url:
        keep_logins(url, passwords)
    click.echo(f"logins: {', '.join(passwords)}", err=True)


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
