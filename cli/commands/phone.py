"""`paretofarm phone`: a virtual phone."""

import os
from pathlib import Path

import click

from cli.connection import data_folder
from cli.logs import log_to_stderr


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes one that is free.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; others need --require-auth."
)
@click.option("--serial", default="VIRTUAL0001", show_default=True, help="Serial number that it gives.")
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    default=None,
    help="Folder of its files.  [default: PARETOFARM_DATA/phones/SERIAL]",
)
@click.option("--require-auth", is_flag=True, help="Let only the owners of authorized keys in, as a handset does.")
@click.option(
    "--authorized-key",
    "keys",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Public key of a computer that may connect (adbkey.pub); may be repeated; with --require-auth.",
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

    Google's adb can use it too (`adb connect 127.0.0.1:PORT`). Its shell is your own shell, so start it with
    --require-auth where other people use the same machine. What is measured on it is marked as simulated everywhere.

    \b
    Examples:
      paretofarm phone --port 5561
      paretofarm phone --port 5561 --require-auth --authorized-key ~/.android/adbkey.pub
    """
    if require_auth != bool(keys):
        raise click.UsageError("--require-auth and --authorized-key need each other")
    from device_agents.virtual_phone.run import run_phone  # needs the extra `phone`

    log_to_stderr(verbose=verbose)
    run_phone(
        root=root or data_folder(os.environ) / "phones" / serial,
        serial=serial,
        port=port,
        host=host,
        require_auth_keys=keys if require_auth else None,
        ready=lambda chosen: click.echo(f"phone {serial} listens on {host}:{chosen}", err=True),
    )
