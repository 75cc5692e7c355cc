"""`paretofarm finish`: begins, or goes on with, the search that trains another one's best networks to the end."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from cli.connection import has_own_servers, open_database
from cli.search_start import NOTHING_RUNS, Start, Task, stack_runs, start_task
from db import experiments
from db.experiments import ExperimentStatus, StoredExperiment
from db.finishing import begin_final
from db.search_start import Beginning, Begun
from db.session import Database
from paretofarm.complaints import complaints
from paretofarm.errors import ConfigError, Conflict, StackError
from paretofarm.final import Final


def finish_search(
    environment: Mapping[str, str],
    search: str,
    said: Mapping[str, Any],
    name: str | None,
    start: Start,
    *,
    processors: int,
) -> None:
    """said: keys of `final:` that the user has said. Errors: ConfigError, Conflict, NotFound, those of `start_task`."""
    if not (start.wait or has_own_servers(environment) or stack_runs(environment)):
        raise StackError(NOTHING_RUNS)
    with open_database(environment) as database:
        begun = _begun(database, search, said, name)
    final = begun.search
    again = f"paretofarm finish {final.final_of} --name {final.name}{' --wait' if start.wait else ''}"
    task = Task(final.experiment, lambda database: _found(database, begun), again)
    start_task(environment, task, start, processors=processors)


def _begun(database: Database, search: str, said: Mapping[str, Any], name: str | None) -> Begun:
    with database.transaction() as session:
        stored = experiments.find(session, search)
        if stored.status is ExperimentStatus.RUNNING:
            raise Conflict(f"{stored.name} is not over yet: wait, or `paretofarm search stop {stored.name}` first")
        known = experiments.final_ids(session, stored.id)
        final = begin_final(session, stored, _wanted(stored, said), name=name)
        experiments.resume(session, final.id)
        return _now(experiments.get(session, final.id), Beginning.RESUMED if final.id in known else Beginning.NEW)


def _wanted(search: StoredExperiment, said: Mapping[str, Any]) -> Final:
    """What the experiment file says, but for what the user has said now."""
    written = search.experiment.final
    document = {**(written.model_dump(mode="json") if written else {}), **said}
    try:
        return Final.model_validate(document)
    except ValidationError as error:
        raise ConfigError("finish: " + "; ".join(complaints(error, document))) from error


def _found(database: Database, begun: Begun) -> Begun:
    with database.transaction() as session:
        return _now(experiments.get(session, begun.search.id), begun.beginning)


def _now(search: StoredExperiment, beginning: Beginning) -> Begun:
    return Begun(search, Beginning.FINISHED if search.status is ExperimentStatus.FINISHED else beginning)
