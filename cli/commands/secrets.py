"""`paretofarm secrets`: the passwords of a deployment, one file each."""

import sys
from pathlib import Path

import click

from cli.secret_folder import NAMES, SecretFolder

OUT = click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR", help="Folder of secrets."
)
NAME = click.Choice(NAMES)


def _groups(ctx: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, int]:
    groups = {}
    for value in values:
        name, _, group = value.partition("=")
        if not name or not group.isascii() or not group.isdigit():
            raise click.BadParameter(f"{value!r} is not FILE=GID")
        groups[name] = int(group)
    return groups


GROUPS = click.option(
    "--group",
    "groups",
    multiple=True,
    callback=_groups,
    metavar="FILE=GID",
    envvar="PARETOFARM_SECRET_GROUPS",
    help="Group, by number, that may read this file; may be repeated.  [default: the owner alone]",
)


@click.group()
def secrets() -> None:
    """Make and replace the passwords that services read from files (docs/secrets.md)."""


@secrets.command()
@OUT
@GROUPS
def init(out: Path, groups: dict[str, int]) -> None:
    """Make the secrets that are missing; those that are there stay.

    \b
    Example:
      paretofarm secrets init --out secrets
    """
    made = SecretFolder(out, groups).init()
    click.echo(f"made: {', '.join(made)}" if made else "nothing to do: all secrets are there", err=True)


@secrets.command(name="set")
@click.argument("name", type=NAME, metavar="NAME")
@OUT
@GROUPS
def set_(name: str, out: Path, groups: dict[str, int]) -> None:
    """Replace a secret by your own, read from standard input.

    \b
    Example:
      paretofarm secrets set broker --out secrets < my-password
    """
    SecretFolder(out, groups).set(name, sys.stdin.buffer.read())
    click.echo(f"{name}: replaced", err=True)


@secrets.command()
@click.argument("names", nargs=-1, required=True, type=NAME, metavar="NAME...")
@OUT
@GROUPS
def renew(names: tuple[str, ...], out: Path, groups: dict[str, int]) -> None:
    """Replace secrets by new random ones."""
    folder = SecretFolder(out, groups)
    for name in names:
        folder.renew(name)
    click.echo(f"{', '.join(names)}: replaced", err=True)


@secrets.command(name="adb-key")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), metavar="PATH")
def adb_key(path: Path) -> None:
    """Make an ADB key pair, PATH and PATH.pub, where there is none.

    \b
    Example:
      paretofarm secrets adb-key ~/.paretofarm/adbkey
    """
    from device_agents.link.keys import ensure_key_pair, public_key_path  # needs the extra `agent`

    click.echo(f"public key: {public_key_path(ensure_key_pair(path))}", err=True)
