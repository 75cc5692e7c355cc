"""`paretofarm search start` and `finish`: checks everything, stores the search and, with --wait, sees it through."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click

from cli.code_version import code_version
from cli.connection import connected, data_folder, has_own_servers, open_database, process_settings
from cli.experiment_file import read_experiment_file
from cli.failure import Interrupted
from cli.front_report import query_hints, read_front, write_front
from cli.live import open_display
from cli.local_farm import Farm, embedded_farm
from cli.local_stack import StackMode, find_running_stack
from cli.page_place import page_place
from cli.searches import check_artifact_store, check_inputs, check_picture_path
from cli.signals import interruptible
from cli.stack_processes import Crew
from cli.virtual_phones import is_virtual
from cli.watching import Watch
from db import experiments
from db.experiments import ExperimentStatus, StoredExperiment
from db.search_start import Beginning, Begun, begin_search, phone_warning
from db.session import Database
from paretofarm.errors import ConfigError, ServiceError, StackError
from paretofarm.experiment import Experiment
from paretofarm.settings import Settings

DEFAULT_PHONES = 2
NOTHING_RUNS = "nothing runs here: `paretofarm up` in another terminal, or add --wait"


@dataclass(frozen=True)
class Start:
    """How the user wants a search started. phones, workers: None where not said."""

    wait: bool = False
    plot: Path | None = None
    as_json: bool = False
    phones: int | None = None
    workers: int | None = None
    check_data: bool = True


See = Callable[[Database, Start, Begun, Farm | None], None]


@dataclass(frozen=True)
class Task:
    """Something to start. begin: stores its searches, or finds that they are there, and returns the first that is not
    over; see: shows how they go, until they are over where the user waits; again: the command that goes on with it."""

    experiment: Experiment
    begin: Callable[[Database], Begun]
    again: str
    see: See


def start_search(environment: Mapping[str, str], path: Path, start: Start, *, processors: int) -> None:
    """Errors: ConfigError, DataError (then nothing was started), StackError, DatabaseUnavailable, Interrupted."""
    file = read_experiment_file(path)
    again = f"paretofarm search start {path}{' --wait' if start.wait else ''}"
    task = Task(file.experiment, lambda database: begin_search(database, file, code_version()), again, see_search)
    start_task(environment, task, start, processors=processors)


def start_task(environment: Mapping[str, str], task: Task, start: Start, *, processors: int) -> None:
    """Errors: as `start_search`."""
    if start.check_data:
        check_inputs(task.experiment)
    if start.plot:
        check_picture_path(start.plot)
    try:
        with interruptible():
            if has_own_servers(environment) or stack_runs(environment):
                _with_running_farm(environment, start, task)
            elif start.wait:
                _with_farm_of_our_own(environment, start, task, processors)
            else:
                raise StackError(NOTHING_RUNS)
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"interrupted: nothing of {task.experiment.name} is lost; go on with: {task.again}"
        ) from error


def stack_runs(environment: Mapping[str, str]) -> bool:
    running = find_running_stack(data_folder(environment))
    return running is not None and running.mode is StackMode.FULL


def _with_running_farm(environment: Mapping[str, str], start: Start, task: Task) -> None:
    if start.phones or start.workers:
        click.echo(
            "note: --phones and --workers count for a stack that this command starts; one runs already", err=True
        )
    if not has_own_servers(environment):
        check_artifact_store(process_settings(environment))
    with open_database(environment) as database:
        begun = task.begin(database)
        task.see(database, start, begun, None)


def _with_farm_of_our_own(environment: Mapping[str, str], start: Start, task: Task, processors: int) -> None:
    """Everything runs as long as this command. A search that is finished needs no workers and no phones."""
    begun: list[Begun] = []
    older: set[int] = set()

    def begin(settings: Settings) -> bool:
        check_artifact_store(settings)
        with connected(settings.database_url) as database:
            older.update(search.id for search in _running(database))
            begun.append(task.begin(database))
            finals = _finals(database, begun[0].search)
        return begun[0].beginning is not Beginning.FINISHED or any(map(_is_running, finals))

    crew = replace(_crew(start, task.experiment, processors), page=page_place(environment))
    with embedded_farm(environment, crew, begin) as farm, connected(farm.settings.database_url) as database:
        if farm.page:
            click.echo(f"watch it: {farm.page}/searches/{begun[0].search.name}", err=True)
        task.see(database, start, begun[0], farm)
        _see_others_through(database, farm, older | {begun[0].search.id})


def _see_others_through(database: Database, farm: Farm, known: set[int]) -> None:
    """Searches that were started meanwhile, from other terminals, have no other stack than this command's."""
    while others := [search for search in _running(database) if search.id not in known]:
        names = ", ".join(other.name for other in others)
        click.echo(f"this stack works on, for {names}; Ctrl-C stops it, and nothing is lost", err=True)
        with open_display() as display:
            Watch(database, others[0], trouble=farm.trouble).until_over(display)


def _running(database: Database) -> list[StoredExperiment]:
    with database.transaction() as session:
        stored = experiments.list_experiments(session)
    return [search for search in stored if _is_running(search)]


def _is_running(search: StoredExperiment) -> bool:
    return search.status is ExperimentStatus.RUNNING


def _crew(start: Start, experiment: Experiment, processors: int) -> Crew:
    """Virtual phones only for the device classes that they can have; a table needs none."""
    if experiment.is_tabular:
        return Crew(workers=start.workers or processors, phones=0, device_classes=(), tables=experiment.devices)
    virtual = tuple(device for device in experiment.devices if is_virtual(device))
    phones = (start.phones or DEFAULT_PHONES) if virtual else 0
    return Crew(workers=start.workers, phones=phones, device_classes=virtual)


def see_search(database: Database, start: Start, begun: Begun, farm: Farm | None) -> None:
    """To its end and, where its experiment has a `final:`, to that one's."""
    search = begun.search
    click.echo(f"search {search.name} (id {search.id}) {begun.beginning.value}", err=True)
    warning = phone_warning(database, search.experiment, coming=farm.device_classes if farm else ())
    if warning and begun.beginning is not Beginning.FINISHED:
        click.echo(f"warning: {warning}", err=True)
    if not start.wait:
        click.echo(f"follow it: paretofarm search show {search.name}", err=True)
        return
    if begun.beginning is not Beginning.FINISHED:
        search = watched(database, search, farm)
    _report(database, start, search)
    for final in _finals(database, search):
        _see_final_through(database, start, final, farm)


def watched(database: Database, search: StoredExperiment, farm: Farm | None) -> StoredExperiment:
    with open_display() as display:
        watch = Watch(database, search, trouble=farm.trouble) if farm else Watch(database, search)
        return watch.until_over(display)


def _finals(database: Database, search: StoredExperiment) -> list[StoredExperiment]:
    """What the search's own `final:` has begun, if it has one: the last of them."""
    if search.experiment.final is None:
        return []
    with database.transaction() as session:
        return [experiments.get(session, found) for found in experiments.final_ids(session, search.id)[-1:]]


def _see_final_through(database: Database, start: Start, final: StoredExperiment, farm: Farm | None) -> None:
    count = final.experiment.stop.candidates
    click.echo(f"{final.name}: the best {count} of {final.final_of}, trained to the end", err=True)
    plot = start.plot and start.plot.with_stem(f"{start.plot.stem}-final")
    _report(database, replace(start, plot=plot), watched(database, final, farm))


def _report(database: Database, start: Start, search: StoredExperiment) -> None:
    """Errors: ConfigError where the user has to mend something first, ServiceError where nothing came of the search."""
    if search.status is ExperimentStatus.STOPPED and search.reason:
        raise ConfigError(f"{search.name} is stopped: {search.reason}; mend it, then start it again: nothing is lost")
    report = read_front(database, search.name, None, with_picture=start.plot is not None)
    if search.status is ExperimentStatus.STOPPED:
        click.echo(f"stopped before its end; go on with: paretofarm search resume {search.name}", err=True)
    if search.status is ExperimentStatus.FINISHED and search.reason:
        click.echo(f"warning: {search.name} {search.reason}", err=True)
    if not report.results:
        raise ServiceError(
            f"no candidate of {search.name} is complete and feasible: see `paretofarm candidates {search.name}`"
        )
    write_front(report, as_json=start.as_json, as_csv=False, plot=start.plot)
    experiment = search.experiment
    first, tabular = report.results[0].id, experiment.is_tabular
    for line in query_hints(search.name, experiment.objectives[0], first, tabular=tabular):
        click.echo(line, err=True)
