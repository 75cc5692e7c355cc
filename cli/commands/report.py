"""`paretofarm report`."""

import os
from pathlib import Path

import click

from cli.artifact_store import storage_settings
from cli.commands.options import DEVICE, SEARCH
from cli.connection import open_database
from cli.whole_file import check_writable, write_whole
from cli.words import bytes_text
from db.artifacts import ArtifactStore
from db.dossier import read_dossier


@click.command()
@SEARCH
@DEVICE
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="FILE",
    help="An HTML file.  [default: ./SEARCH.html]",
)
def report(search: str, device: str | None, out: Path | None) -> None:
    """Write a search's report: one HTML file that needs nothing else.

    SEARCH is a name or an id; with it comes what belongs to it: its random control, and the search that trained its
    best to the end (`paretofarm finish`). The front and how it came to be, short training against full training,
    accuracy on the device, classes, sample images, failures, cost, settings, and what was simulated. It can be printed.

    \b
    Examples:
      paretofarm report faces-full --out report.html
      paretofarm report faces-demo --device virtual
    """
    from cli.report.page import render  # needs the extra `report`
    from cli.report.samples import read_samples

    if out is not None:
        check_writable(out)
    settings = storage_settings(os.environ)
    with open_database(os.environ) as database:
        dossier = read_dossier(database, search, device)
    path = out or Path(f"{dossier.own.name}.html")
    text = render(dossier, read_samples(dossier, ArtifactStore(settings.artifacts, settings.cache), settings.cache))
    write_whole(path, text)
    click.echo(f"{path}: {bytes_text(path.stat().st_size)}", err=True)
