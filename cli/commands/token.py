"""`paretofarm token`: tokens for the HTTP API."""

import json
import os
import re
import secrets
from datetime import timedelta
from typing import Any

import click
from rich import box
from rich.table import Table

from cli.commands.options import JSON
from cli.connection import open_database
from cli.tables import print_table
from db import api_tokens
from db.api_tokens import StoredToken
from paretofarm.access import KEY_BYTES, SECRET_BYTES, ApiToken, Scope

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
FOR_EVER = "never"
LONGEST = timedelta(days=36_500)


class Lifetime(click.ParamType[timedelta | None]):
    """`90d`, `12h`, `30m`, or `never`."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta | None:
        if value == FOR_EVER:
            return None
        match = re.fullmatch(r"([1-9][0-9]{0,7})([mhd])", str(value), re.ASCII)
        lifetime = timedelta(**{UNITS[match[2]]: int(match[1])}) if match else LONGEST
        if lifetime >= LONGEST:
            self.fail(f"{value!r} is no time such as 90d, 12h, 30m or {FOR_EVER}", param, ctx)
        return lifetime


@click.group()
def token() -> None:
    """Make, list and revoke tokens for the HTTP API and the web page."""


@token.command()
@click.argument("name", metavar="NAME")
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    default=Scope.READ.value,
    show_default=True,
    help="read: see everything. operate: also start, stop and change searches. admin: also delete.",
)
@click.option(
    "--expires", "lifetime", type=Lifetime(), default="90d", show_default=True, help="90d, 12h, 30m or never."
)
def create(name: str, scope: str, lifetime: timedelta | None) -> None:
    """Make a token and print it: this is the only time it can be seen.

    NAME says who or what it is for. The database keeps a hash of it.

    \b
    Examples:
      paretofarm token create anna --scope operate
      paretofarm token create ci --scope read --expires 30d > token.txt
    """
    if not name.isprintable() or not 1 <= len(name.strip()) <= 100:
        raise click.BadParameter("must have 1 to 100 printable characters", param_hint="NAME")
    made = ApiToken.from_entropy(secrets.token_bytes(KEY_BYTES + SECRET_BYTES))
    with open_database(os.environ) as database, database.transaction() as session:
        api_tokens.store(session, made, name=name.strip(), scope=Scope(scope), lifetime=lifetime)
    click.echo(made.text)
    click.echo(f"token {name.strip()!r} (scope {scope}): keep it, it is not shown again", err=True)


@token.command(name="list")
@JSON
def list_(as_json: bool) -> None:
    """List all tokens, without their secrets."""
    with open_database(os.environ) as database, database.transaction() as session:
        found = api_tokens.list_tokens(session)
    if as_json:
        click.echo(json.dumps([_document(stored) for stored in found]))
    elif not found:
        click.echo("no tokens yet: `paretofarm token create NAME` makes one", err=True)
    else:
        _print(found)


@token.command()
@click.argument("token", metavar="KEY|NAME")
def revoke(token: str) -> None:
    """End a token at once: the one with that key (pf_KEY_…), or all of that name. Its logins by browser end too."""
    with open_database(os.environ) as database, database.transaction() as session:
        ended = api_tokens.revoke(session, token)
    for stored in ended:
        click.echo(f"revoked: {stored.name} ({stored.key})", err=True)
    if not ended:
        click.echo(f"{token}: nothing to do, it was revoked before", err=True)


def _document(stored: StoredToken) -> dict[str, Any]:
    times = ("created_at", "expires_at", "revoked_at", "last_used_at")
    return {
        "key": stored.key,
        "name": stored.name,
        "scope": stored.scope.value,
        "good": stored.is_good,
        **{name: at.isoformat() if (at := getattr(stored, name)) else None for name in times},
    }


def _print(found: list[StoredToken]) -> None:
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("key", "name", "scope", "state", "expires (UTC)", "last used (UTC)"):
        table.add_column(name)
    for stored in found:
        state = "revoked" if stored.revoked_at else "expired" if stored.expired else "good"
        times = [f"{at:%Y-%m-%d %H:%M}" if at else "never" for at in (stored.expires_at, stored.last_used_at)]
        table.add_row(stored.key, stored.name, stored.scope.value, state, *times)
    print_table(table, less_important=["last used (UTC)", "expires (UTC)"])
