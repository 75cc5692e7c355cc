"""`paretofarm search`: start, list, show, stop, resume, delete."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import click

from cli.artifact_store import artifact_store
from cli.commands.options import JSON, PHONES, PLOT, SEARCH, WORKERS
from cli.connection import NothingYet, open_database
from cli.search_start import Start, start_search
from cli.search_status import print_status, print_statuses
from cli.words import bytes_text, count_text
from db import experiments
from db.cost import spent
from db.experiments import ExperimentStatus
from db.search_deletion import Extent, delete_search, extent
from db.search_status import list_statuses, read_status
from paretofarm.errors import ConfigError


@click.group()
def search() -> None:
    """Start, list, show, stop, resume and delete searches."""


@search.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.yaml")
@click.option("--wait", is_flag=True, help="Show progress until the search is over, then print its front.")
@PLOT
@JSON
@PHONES
@WORKERS
@click.option("--no-data-check", is_flag=True, help="The data set is on the workers' hosts, not on this one.")
def start(
    file: Path,
    wait: bool,
    plot: Path | None,
    as_json: bool,
    phones: int | None,
    workers: int | None,
    no_data_check: bool,
) -> None:
    """Start the search that an experiment file describes.

    With --wait and neither a running stack (`paretofarm up`) nor servers of your own, everything needed runs for as
    long as the command does: Postgres, broker, scheduler, worker, virtual phones (--phones, --workers). The same file
    again goes on where the search was, or just prints the front of one that is finished; so Ctrl-C loses nothing.

    \b
    Examples:
      paretofarm search start examples/faces_demo.yaml --wait --plot faces-demo.png
      paretofarm search start examples/face_segmentation.yaml        with `paretofarm up` in another terminal
    """
    if plot and not wait:
        raise click.UsageError("--plot needs --wait; later: paretofarm front SEARCH --plot FILE.png")
    start_search(
        os.environ,
        file,
        Start(wait=wait, plot=plot, as_json=as_json, phones=phones, workers=workers, check_data=not no_data_check),
        processors=os.cpu_count() or 1,
    )


@search.command(name="list")
@JSON
def list_(as_json: bool) -> None:
    """List all searches."""
    try:
        with open_database(os.environ) as database, database.transaction() as session:
            statuses = list_statuses(session)
    except NothingYet as error:
        if not as_json:
            click.echo(str(error), err=True)
            return
        statuses = []
    if as_json:
        click.echo(json.dumps([status.to_json() for status in statuses]))
    else:
        print_statuses(statuses)


@search.command()
@SEARCH
@JSON
def show(search: str, as_json: bool) -> None:
    """Show how far a search is: candidates, stages, failures, front, time.

    SEARCH is a name or an id.
    """
    with open_database(os.environ) as database, database.transaction() as session:
        status = read_status(session, experiments.find(session, search))
        used = spent(session, status.search.id)
    if as_json:
        click.echo(json.dumps({**status.to_json(), "spent": asdict(used)}))
    else:
        print_status(status, used)


@search.command()
@SEARCH
def stop(search: str) -> None:
    """Stop a search: it proposes no more, what is in flight comes to its end.

    SEARCH is a name or an id. `paretofarm search resume` goes on with it.
    """
    with open_database(os.environ) as database, database.transaction() as session:
        stored = experiments.find(session, search)
        changed = experiments.stop(session, stored.id)
    _tell(stored.name, changed, "stopped", stored.status)


@search.command()
@SEARCH
def resume(search: str) -> None:
    """Go on with a search that was stopped.

    SEARCH is a name or an id. Needs a running stack (`paretofarm up`) to do the work.
    """
    with open_database(os.environ) as database, database.transaction() as session:
        stored = experiments.find(session, search)
        if stored.status is ExperimentStatus.FINISHED:
            raise ConfigError(f"the search {stored.name!r} is finished: there is nothing to resume")
        changed = experiments.resume(session, stored.id)
    _tell(stored.name, changed, "resumed", stored.status)


@search.command()
@SEARCH
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(search: str, yes: bool) -> None:
    """Delete a search for ever: its candidates, measurements, and the artifacts that no other search shares.

    SEARCH is a name or an id. It must be stopped or finished. Says what would go, and asks first; events stay. Files
    that another search may be about to use stay too: `paretofarm gc` takes them later.
    """
    with open_database(os.environ) as database:
        with database.transaction() as session:
            there = extent(session, search)
        click.echo(f"{there.name}: {_extent_text(there)}", err=True)
        if not yes:
            click.confirm(f"Delete {there.name} for ever?", abort=True, err=True)
        deletion = delete_search(database, artifact_store(os.environ), search)
    left = deletion.extent.artifacts - deletion.files
    later = f"; {count_text(left, 'file')} left to `paretofarm gc`" if left else ""
    click.echo(f"{there.name}: deleted{later}", err=True)


def _extent_text(there: Extent) -> str:
    counted = {"candidate": there.candidates, "evaluation": there.evaluations, "measurement": there.measurements}
    parts = [count_text(count, noun) for noun, count in counted.items()]
    return f"{', '.join(parts)}, {count_text(there.artifacts, 'artifact')} of its own ({bytes_text(there.size_bytes)})"


def _tell(name: str, changed: bool, done: str, before: ExperimentStatus) -> None:
    click.echo(f"{name}: {done}" if changed else f"{name}: nothing to do, it is {before.value}", err=True)
