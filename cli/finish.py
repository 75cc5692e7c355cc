"""`paretofarm finish`: begins, or goes on with, the search that trains another one's best networks to the end."""

from collections.abc import Mapping
from typing import Any

from cli.connection import has_own_servers, open_database
from cli.search_start import NOTHING_RUNS, Start, Task, see_search, stack_runs, start_task
from db import experiments, finishing
from db.experiments import ExperimentStatus, StoredExperiment
from db.search_start import Beginning, Begun
from db.session import Database
from paretofarm.errors import StackError


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
    task = Task(final.experiment, lambda database: _found(database, begun), again, see_search)
    start_task(environment, task, start, processors=processors)


def _begun(database: Database, search: str, said: Mapping[str, Any], name: str | None) -> Begun:
    with database.transaction() as session:
        found = finishing.finish_search(session, search, said, name=name)
    return _now(found.search, Beginning.NEW if found.is_new else Beginning.RESUMED)


def _found(database: Database, begun: Begun) -> Begun:
    with database.transaction() as session:
        return _now(experiments.get(session, begun.search.id), begun.beginning)


def _now(search: StoredExperiment, beginning: Beginning) -> Begun:
    return Begun(search, Beginning.FINISHED if search.status is ExperimentStatus.FINISHED else beginning)
