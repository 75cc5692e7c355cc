"""`paretofarm export`."""

import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from cli.artifact_store import storage_settings
from cli.connection import open_database
from cli.export.folder import require_new, write_folder
from cli.export.quantization import quantize, why_not
from cli.words import bytes_text
from db import exports
from db.artifacts import ArtifactStore
from db.exports import Export
from db.session import Database
from paretofarm.errors import DatabaseRefused, ParetofarmError
from paretofarm.settings import Settings
from paretofarm.task import Task


@click.command()
@click.argument("candidate_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="[default: ./SEARCH-ID]")
@click.option("--no-int8", is_flag=True, help="Leave out an int8 network that would have to be made first.")
def export(candidate_id: int, out: Path | None, no_int8: bool) -> None:
    """Write a candidate's networks and how to run them to a folder.

    The folder holds the network in float32 and int8 as ONNX, what was compiled for phones, architecture, metrics with
    intervals, a model card (README.md) and run.py, which segments or classifies a picture with nothing but numpy,
    onnxruntime and pillow. Most candidates are measured with random weights: int8 with trained weights is then made
    here, with the calibration images of the data set. `paretofarm gc` keeps what was exported.

    \b
    Examples:
      paretofarm export 12
      paretofarm export 12 --out networks/fast && python networks/fast/run.py photo.jpg mask.png
    """
    settings = storage_settings(os.environ)
    store = ArtifactStore(settings.artifacts, settings.cache)
    with open_database(os.environ) as database:
        with database.transaction() as session:
            prepared = exports.prepare(session, candidate_id)
        folder = out or Path(prepared.name)
        require_new(folder)
        with TemporaryDirectory(prefix="paretofarm-export-") as scratch:
            complete, made = (prepared, {}) if no_int8 else _with_int8(prepared, store, settings, Path(scratch))
            write_folder(complete, store, folder, made)
        _remember(database, candidate_id)
    _tell(complete, folder)


def _with_int8(
    export: Export, store: ArtifactStore, settings: Settings, scratch: Path
) -> tuple[Export, dict[str, Path]]:
    if not export.lacks_int8():
        return export, {}
    try:
        click.echo("quantizing the trained network …", err=True)
        network, path = quantize(export, store, settings, scratch)
    except ParetofarmError as error:
        click.echo(f"paretofarm: {why_not(error)}", err=True)
        missing = (*export.facts.missing, f"There is {why_not(error)}.")
        return replace(export, facts=replace(export.facts, missing=missing)), {}
    return export.with_network(network), {network.name: path}


def _remember(database: Database, candidate_id: int) -> None:
    """Who may only read exports too; `gc` then does not know of it."""
    try:
        with database.transaction() as session:
            exports.mark(session, candidate_id)
    except DatabaseRefused as error:
        click.echo(f"paretofarm: `paretofarm gc` will not know of this export: {error}", err=True)


def _tell(export: Export, folder: Path) -> None:
    for file in sorted(folder.iterdir()):
        click.echo(f"{file}  {bytes_text(file.stat().st_size)}")
    if export.facts.runnable:
        mask = " MASK.png" if export.facts.task is Task.SEGMENTATION else ""
        click.echo(f"\npython {folder / 'run.py'} PICTURE{mask}", err=True)
