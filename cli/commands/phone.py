"""`paretofarm phone`: a virtual phone."""

import os
import re
from pathlib import Path

import click

from cli.commands.agent import AGENT_KEY
from cli.connection import data_folder
from cli.logs import log_to_stderr


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes one that is free.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; with --no-auth this one only."
)
@click.option("--serial", default="VIRTUAL0001", show_default=True, help="Serial number that it gives.")
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    default=None,
    help="Folder of its files.  [default: PARETOFARM_DATA/phones/SERIAL]",
)
@click.option(
    "--require-auth/--no-auth",
    default=True,
    show_default=True,
    help="Let only the owners of authorized keys in, as a handset does.",
)
@click.option(
    "--authorized-key",
    "keys",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Public key of a computer that may connect; may be repeated.  [default: that of `paretofarm agent`, and "
    "~/.android/adbkey.pub where there is one]",
)
@click.option("-v", "--verbose", is_flag=True, help="Log every packet.")
def phone(
    port: int,
    host: str,
    serial: str,
    root: Path | None,
    require_auth: bool,
    keys: tuple[Path, ...],
    verbose: bool,
) -> None:
    """Run a virtual phone: an ADB device whose processor is this machine's.

    Google's adb can use it too (`adb connect 127.0.0.1:PORT`). Its shell is your own shell: with --no-auth everybody on
    this machine has it. What is measured on it is marked as simulated everywhere.

    \b
    Examples:
      paretofarm phone --port 5561
      paretofarm phone --port 5561 --authorized-key ~/.android/adbkey.pub
    """
    if keys and not require_auth:
        raise click.UsageError("--no-auth lets everybody in: it needs no --authorized-key")
    if not re.fullmatch(r"[A-Za-z0-9][\w.:-]*", serial):
        raise click.BadParameter(f"{serial!r}: letters, digits, . : _ and - only", param_hint="'--serial'")
    from device_agents.virtual_phone.run import run_phone  # needs the extra `phone`

    log_to_stderr(verbose=verbose)
    if not require_auth:
        click.echo(f"phone {serial} lets everybody on this machine in: its shell is yours", err=True)
    run_phone(
        root=root or data_folder(os.environ) / "phones" / serial,
        serial=serial,
        port=port,
        host=host,
        require_auth_keys=(keys or own_keys()) if require_auth else None,
        ready=lambda chosen: click.echo(f"phone {serial} listens on {host}:{chosen}", err=True),
    )


def own_keys() -> list[Path]:
    """Public keys of this computer: that of `paretofarm agent`, made where there is none, and Google adb's."""
    from device_agents.link.keys import ensure_key_pair, public_key_path  # needs the extra `agent`

    google = Path("~/.android/adbkey.pub").expanduser()
    return [public_key_path(ensure_key_pair(AGENT_KEY.expanduser())), *([google] if google.is_file() else [])]
